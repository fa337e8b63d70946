// A node that has keys and a channel like any other, and says in it whatever a test wants.

import { chooseProvider } from '../../crypto/index.ts';
import type { TestHostkeyName } from '../../identity/testing/keys.ts';
import type { Runtime, TcpStream, Timer } from '../../runtime/index.ts';
import type { World } from '../../sim/index.ts';
import { Channel, type ChannelOutput } from '../channel.ts';
import { decodeMessage, encodeMessage, type GossipMessage, MESSAGE_BYTES_MAX } from '../wire.ts';
import { NETWORK_ID } from './fixtures.ts';
import { PORT, type SimNode, selfOf } from './sim-node.ts';

const provider = chooseProvider();

export class Villain {
  readonly heard: GossipMessage[] = [];
  isClosed = false;
  readonly #runtime: Runtime;
  #stream: TcpStream | undefined;
  #channel: Channel | undefined;
  #flooding: Timer | undefined;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Calls `victim`, and is a neighbour of his that has introduced itself. */
  static async beside(world: World, name: TestHostkeyName, victim: SimNode): Promise<Villain> {
    const villain = new Villain(world.host(`villain ${world.hosts.size}`).start());
    await world.complete(villain.#call(name, victim.host.ip));
    await world.until(() => villain.#channel?.isOpen === true, 10_000);
    villain.say({ type: 'hello', dataTypes: [] });
    return villain;
  }

  say(...messages: readonly GossipMessage[]): void {
    this.write(messages.map(encodeMessage));
  }

  /** Sealed, whatever it is. */
  write(messages: readonly Uint8Array[]): void {
    if (this.isClosed) return;
    for (const frame of this.#channel?.seal(messages) ?? []) this.#stream?.write(frame);
  }

  /** Says what `next` gives as fast as the network takes it. */
  flood(next: () => readonly GossipMessage[]): void {
    const more = (): void => {
      if (this.isClosed) return;
      while ((this.#stream?.bufferedBytes ?? 0) < 1 << 18) this.say(...next());
      this.#flooding = this.#runtime.timers.after(10, more);
    };
    more();
  }

  /** Reads no more. */
  deafen(): void {
    this.#stream?.pause();
  }

  stop(): void {
    this.isClosed = true;
    this.#flooding?.cancel();
    this.#stream?.destroy();
  }

  async #call(name: TestHostkeyName, ip: string): Promise<void> {
    const { clock, rng, network } = this.#runtime;
    const channel = new Channel(
      { type: 'caller', wanted: undefined },
      {
        messageBytesMax: MESSAGE_BYTES_MAX,
        handshake: {
          provider,
          rng,
          networkId: NETWORK_ID,
          purpose: 'gossip',
          self: selfOf(name, undefined),
          indices: { setup: 0, final: 0 },
          pqRequired: true,
          allowPrivate: false,
          nowMs: clock.nowMs(),
          wallMs: clock.wallMs(),
        },
      },
    );
    this.#channel = channel;
    const handlers = {
      onData: (bytes: Uint8Array): void => this.#act(channel.onData(bytes, clock.nowMs())),
      onClose: (): void => {
        this.isClosed = true;
      },
    };
    this.#stream = await network.dialTcp({ ip, port: PORT }, { timeoutMs: 5000, handlers });
    this.#act(channel.start(clock.nowMs()));
  }

  #act(outputs: readonly ChannelOutput[]): void {
    for (const output of outputs) {
      if (output.type === 'write') this.#stream?.write(output.bytes);
      else if (output.type === 'message') this.heard.push(decodeMessage(output.bytes));
      else if (output.type === 'judge') {
        this.#act(this.#channel?.judged('welcome', this.#runtime.clock.nowMs()) ?? []);
      }
    }
  }
}
