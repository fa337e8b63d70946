// The smallest SOCKS5 proxy (RFC 1928) that a test can dial through: no authentication, CONNECT only. It remembers what
// it was asked for, and connects to where the test says instead.

import { concatBytes } from '../../bytes/index.ts';
import type { Address, Network, TcpListener, TcpStream } from '../../runtime/index.ts';

const METHODS = Uint8Array.of(5, 0);
const GRANTED = Uint8Array.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0);
const TYPE = { ipv4: 1, name: 3 } as const;

/** What a client says before it is connected. */
class Session {
  #arrived: Uint8Array = new Uint8Array();
  #greeted = false;

  take(bytes: Uint8Array): { readonly answer?: Uint8Array; readonly asked?: string | undefined } {
    this.#arrived = concatBytes(this.#arrived, bytes);
    if (this.#greeted) return { asked: destination(this.#arrived) };
    const [, methods = 0] = this.#arrived;
    if (this.#arrived.length < 2 + methods) return {};
    this.#greeted = true;
    this.#arrived = this.#arrived.slice(2 + methods);
    return { answer: METHODS };
  }
}

export class SocksProxy {
  /** The destinations asked for, as `host:port`. */
  readonly asked: string[] = [];
  readonly #network: Network;
  readonly #target: Address;
  readonly #streams: TcpStream[] = [];
  #listener: TcpListener | undefined;

  constructor(network: Network, target: Address) {
    this.#network = network;
    this.#target = target;
  }

  async listen(local: Address): Promise<Address> {
    this.#listener = await this.#network.listenTcp(local, (stream) => this.#serve(stream));
    return this.#listener.local;
  }

  async stop(): Promise<void> {
    for (const stream of this.#streams) stream.destroy();
    await this.#listener?.close();
  }

  #serve(client: TcpStream) {
    const session = new Session();
    let onward: TcpStream | undefined;
    this.#streams.push(client);
    return {
      onData: (bytes: Uint8Array): void => {
        if (onward !== undefined) {
          onward.write(bytes);
          return;
        }
        const { answer, asked } = session.take(bytes);
        if (answer !== undefined) client.write(answer);
        if (asked === undefined) return;
        this.asked.push(asked);
        void this.#connect(client).then((stream) => {
          onward = stream;
        });
      },
      onClose: (): void => onward?.destroy(),
    };
  }

  async #connect(client: TcpStream): Promise<TcpStream> {
    const handlers = {
      onData: (bytes: Uint8Array): void => client.write(bytes),
      onClose: (): void => client.destroy(),
    };
    const onward = await this.#network.dialTcp(this.#target, { timeoutMs: 5000, handlers });
    this.#streams.push(onward);
    client.write(GRANTED);
    return onward;
  }
}

/** Of a CONNECT request, once it is complete. */
function destination(request: Uint8Array): string | undefined {
  const [, , , type, first = 0] = request;
  const host = type === TYPE.name ? request.subarray(5, 5 + first) : request.subarray(4, 8);
  const portAt = type === TYPE.name ? 5 + first : 8;
  if (request.length < portAt + 2) return undefined;
  const port = ((request[portAt] ?? 0) << 8) | (request[portAt + 1] ?? 0);
  return `${type === TYPE.name ? String.fromCharCode(...host) : host.join('.')}:${port}`;
}
