// The one error that bytes from outside may cause. Whoever receives bytes catches it in one place, counts it and
// drops the message; anything else thrown while decoding is a bug of ours.

export class DecodeError extends Error {
  override readonly name = 'DecodeError';
}
