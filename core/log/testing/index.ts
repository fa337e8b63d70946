export { findLeaks, type Leak } from './leaks.ts';
export { type MemorySink, memorySink } from './memory-sink.ts';
