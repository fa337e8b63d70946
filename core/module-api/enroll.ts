// The enrolment handshake, 680-683 (voidphone-api.md, "Enrolment"; the specification's section 4.1). The server speaks
// first. After the header:
//
//   680 ENROLL INIT      challenge u64
//   681 ENROLL REGISTER  challenge u64 | team number u16 | project choice u16 | nonce u64
//                        | email CRLF first name CRLF last name CRLF user name
//   682 ENROLL SUCCESS   reserved u16 | team number u16
//   683 ENROLL FAILURE   reserved u16 | error number u16 | description
//
// All text is UTF-8. The proof of work in REGISTER's nonce is in enroll-pow.ts.

import { DecodeError, decodeUtf8, utf8 } from '../bytes/index.ts';
import { BODY_BYTES_MAX, type Codec, exactly } from './codec.ts';

export const ENROLL_API = {
  takes: ['enroll register'],
  sends: ['enroll init', 'enroll success', 'enroll failure'],
} as const;

/** What can be chosen (section 4.1.1). */
export const ENROLL_PROJECTS = {
  gossip: 2961,
  dht: 4963,
  rps: 15_882,
  nse: 7071,
  onion: 39_943,
} as const;

export interface EnrollInit {
  readonly type: 'enroll init';
  readonly challenge: bigint;
}

const CHALLENGE_BYTES = 8;

export const enrollInit: Codec<EnrollInit> = {
  number: 680,
  size: exactly(CHALLENGE_BYTES),
  write: (writer, { challenge }) => writer.u64(challenge),
  read: (reader) => ({ type: 'enroll init', challenge: reader.u64() }),
};

export interface EnrollRegister {
  readonly type: 'enroll register';
  readonly challenge: bigint;
  /** 0 founds a team, 65535 asks for a partner. */
  readonly team: number;
  /** One of ENROLL_PROJECTS. */
  readonly project: number;
  readonly nonce: bigint;
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly userName: string;
}

/** Where the nonce is in the body. */
export const ENROLL_NONCE_AT = CHALLENGE_BYTES + 2 + 2;
const REGISTER_FIXED_BYTES = ENROLL_NONCE_AT + 8;
const CRLF = '\r\n';
/** Four texts, each of which may be empty. */
const TEXT_BYTES_MIN = 3 * CRLF.length;

export const enrollRegister: Codec<EnrollRegister> = {
  number: 681,
  size: {
    min: REGISTER_FIXED_BYTES + TEXT_BYTES_MIN,
    max: BODY_BYTES_MAX,
    of: (message) => REGISTER_FIXED_BYTES + joined(message).length,
  },
  write: (writer, message) => {
    writer.u64(message.challenge).u16(message.team).u16(message.project).u64(message.nonce);
    writer.bytes(joined(message));
  },
  read: (reader) => {
    const fixed = {
      challenge: reader.u64(),
      team: reader.u16(),
      project: reader.u16(),
      nonce: reader.u64(),
    };
    const texts = decodeUtf8(reader.rest()).split(CRLF);
    if (texts.length !== 4) throw new DecodeError(`${texts.length} texts instead of 4`);
    const [email = '', firstName = '', lastName = '', userName = ''] = texts;
    return { type: 'enroll register', ...fixed, email, firstName, lastName, userName };
  },
};

function joined({ email, firstName, lastName, userName }: EnrollRegister): Uint8Array {
  const texts = [email, firstName, lastName, userName];
  if (texts.some((text) => text.includes(CRLF))) throw new RangeError('a CRLF within a text');
  return utf8(texts.join(CRLF));
}

const WORD_BYTES = 4;

export interface EnrollSuccess {
  readonly type: 'enroll success';
  readonly team: number;
}

export const enrollSuccess: Codec<EnrollSuccess> = {
  number: 682,
  size: exactly(WORD_BYTES),
  write: (writer, { team }) => writer.zeros(2).u16(team),
  read: (reader) => {
    reader.view(2);
    return { type: 'enroll success', team: reader.u16() };
  },
};

export interface EnrollFailure {
  readonly type: 'enroll failure';
  readonly error: number;
  readonly description: string;
}

export const enrollFailure: Codec<EnrollFailure> = {
  number: 683,
  size: {
    min: WORD_BYTES,
    max: BODY_BYTES_MAX,
    of: ({ description }) => WORD_BYTES + utf8(description).length,
  },
  write: (writer, { error, description }) => writer.zeros(2).u16(error).bytes(utf8(description)),
  read: (reader) => {
    reader.view(2);
    const error = reader.u16();
    return { type: 'enroll failure', error, description: decodeUtf8(reader.rest()) };
  },
};
