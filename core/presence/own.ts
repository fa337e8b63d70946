// What we give to friends, kept in the profile: the key that pairs us with each of them, and the secret under which all of
// them find our presence. Replacing the secret is how somebody is shut out (protocol 8): the others are told the new one.

import { DecodeError, fromHex, toHex } from '../bytes/index.ts';
import { type CryptoProvider, KEY_BYTES, type KeyPair } from '../crypto/index.ts';
import { type Rng, randomBytes } from '../runtime/index.ts';
import type { Setting, Settings } from '../store/index.ts';
import { NAME_BYTES_MAX } from './card.ts';
import { textFault } from './padded-text.ts';

/** Of the card's field: a u16. Then it begins again; friends compare with what they were told last. */
const VERSIONS = 2 ** 16;

type Stored = {
  readonly contactSecret: string;
  readonly presenceSecret: string;
  readonly presenceVersion: number;
  readonly name: string;
};

const OWN: Setting<Stored> = { name: 'presence.own', version: 1, decode: decodeStored };

function decodeStored(value: unknown): Stored {
  const { contactSecret, presenceSecret, presenceVersion, name } = value as Partial<Stored>;
  const isRight =
    isKey(contactSecret) &&
    isKey(presenceSecret) &&
    typeof presenceVersion === 'number' &&
    typeof name === 'string';
  if (!isRight) throw new DecodeError('the stored friend keys are damaged');
  return { contactSecret, presenceSecret, presenceVersion, name };
}

function isKey(value: unknown): value is string {
  return typeof value === 'string' && new RegExp(`^[0-9a-f]{${2 * KEY_BYTES}}$`).test(value);
}

export interface OwnSecretsOptions {
  readonly settings: Settings;
  readonly provider: CryptoProvider;
  readonly rng: Rng;
}

export class OwnSecrets {
  readonly #options: OwnSecretsOptions;
  #stored: Stored;

  /** Makes them in a new profile. */
  constructor(options: OwnSecretsOptions) {
    const { settings, rng } = options;
    this.#options = options;
    this.#stored = settings.read(OWN) ?? {
      contactSecret: toHex(randomBytes(rng, KEY_BYTES)),
      presenceSecret: toHex(randomBytes(rng, KEY_BYTES)),
      presenceVersion: 0,
      name: '',
    };
    settings.write(OWN, this.#stored);
  }

  get contactKey(): KeyPair {
    const secretKey = fromHex(this.#stored.contactSecret);
    return { secretKey, publicKey: this.#options.provider.x25519Public(secretKey) };
  }

  get presenceSecret(): Uint8Array {
    return fromHex(this.#stored.presenceSecret);
  }

  get presenceVersion(): number {
    return this.#stored.presenceVersion;
  }

  /** What friends read on our card; may be empty. */
  get name(): string {
    return this.#stored.name;
  }

  /** RangeError for a name that is none (padded-text.ts). */
  rename(name: string): void {
    const fault = textFault(name, NAME_BYTES_MAX);
    if (fault !== undefined) throw new RangeError(`the name ${fault}`);
    this.#keep({ name });
  }

  /** Shuts out whoever is not told the new one. */
  replacePresenceSecret(): void {
    this.#keep({
      presenceSecret: toHex(randomBytes(this.#options.rng, KEY_BYTES)),
      presenceVersion: (this.#stored.presenceVersion + 1) % VERSIONS,
    });
  }

  #keep(changes: Partial<Stored>): void {
    this.#stored = { ...this.#stored, ...changes };
    this.#options.settings.write(OWN, this.#stored);
  }
}
