export { type ErrorField, errorField, type Fields, type Literal } from './fields.ts';
export { createLogger, type Level, type Logger, type LogRecord, type Sink } from './logger.ts';
export {
  Sensitive,
  type Show,
  saltedTags,
  sensitive,
  unsafeShowSensitive,
} from './sensitive.ts';
export { jsonSink, lineSink } from './sinks.ts';
