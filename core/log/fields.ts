// What may be logged, as types. A message, an area or a text field is a literal, or one of several literals, from the
// source code: it cannot hold anything a peer sent. Any other string does not compile, unless it goes through
// `sensitive()`. After the idea of Arti's safelogging, with the compiler in the place of discipline.

import type { Sensitive } from './sensitive.ts';

/** What the compiler names when something may not be logged. Nothing has this type. */
export type WrapInSensitive = string & { readonly 'to be wrapped in sensitive()': never };

/** Only a Record of literals lacks something when it is empty; one of `string` or `a${string}` is an index. */
type IsOpen<K extends PropertyKey> = Record<never, 1> extends Record<K, 1> ? true : false;

/** T if it is a literal, or a union of them: no `string`, no `a${string}`, no branded string. */
export type Literal<T extends string> = T extends unknown
  ? IsOpen<T> extends true
    ? WrapInSensitive
    : T
  : never;

declare const errorName: unique symbol;

/** Only `errorField` makes them. */
export type ErrorField = string & { readonly [errorName]: true };

type Loggable<T> = T extends ErrorField | Sensitive | number | boolean
  ? T
  : T extends string
    ? Literal<T>
    : WrapInSensitive;

type IsAny<T> = 0 extends 1 & T ? true : false;

/** The fields F if each may be logged, under a name that is a literal too. `any` goes into everything but never. */
export type Fields<F> = {
  readonly [K in keyof F]: true extends IsAny<F[K]> | IsOpen<K> ? never : Loggable<F[K]>;
};

const ERROR_NAME = /^[A-Z][A-Za-z]{0,39}$/;
const ERROR_CODE = /^[A-Z][A-Z0-9_]{0,39}$/;

/**
 * What of a caught error may be logged: its class and its code, `Error ECONNREFUSED`. Never its message, which for
 * errors of the system holds addresses and paths.
 */
export function errorField(error: unknown): ErrorField {
  if (!(error instanceof Error)) return 'no Error' as ErrorField;
  const name = ERROR_NAME.test(error.name) ? error.name : 'Error';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return (ERROR_CODE.test(code) ? `${name} ${code}` : name) as ErrorField;
}
