// A node that misbehaves: the production node, whose data plane is started through `hostilePlane`. A behaviour changes
// what passes between its control and its data plane, and, through its network card (hostile-card.ts), the bodies it
// passes on for others. Its own tunnels it leaves alone, so that it looks like everybody else.

import { chooseProvider } from '../../crypto/index.ts';
import { COMMAND, type LinkId } from '../../link/index.ts';
import { type Rng, type Runtime, randomBelow } from '../../runtime/index.ts';
import { type StartPlane, startPlaneHere } from '../plane-driver.ts';
import type { CircuitId, PlaneCommand, PlaneEvent, Side } from '../plane-port.ts';
import { HostileCard, type Passed, type PassingCell } from './hostile-card.ts';
import type { SimNetwork } from './sim-network.ts';
import type { NodeNumber } from './witness.ts';

const provider = chooseProvider();

/** A body that is about to leave, or has arrived, on a circuit of somebody else. */
export interface PassingBody {
  readonly direction: 'in' | 'out';
  readonly circuit: CircuitId;
  /** Of this node: towards the initiator or the next hop. */
  readonly side: Side;
  /** May be changed in place. */
  readonly body: Uint8Array;
}

/** What a behaviour does; what it has no function for it does as it should. */
export interface Behaviour {
  /** What the data plane is told instead. */
  onCommand?(command: PlaneCommand): readonly PlaneCommand[];
  /** What the control plane is told instead. */
  onEvent?(event: PlaneEvent): readonly PlaneEvent[];
  /** What goes on instead; undefined: the body as it now is. */
  onBody?(body: PassingBody): readonly Passed[] | undefined;
}

/** The node as its behaviour sees it. */
export interface Self {
  readonly number: NodeNumber;
  readonly network: SimNetwork;
  readonly rng: Rng;
  readonly runtime: Runtime;
  readonly tickMs: number;
  /** Open links, and who is there. */
  readonly links: ReadonlyMap<LinkId, NodeNumber>;
  /** Tells the own data plane something. */
  post(command: PlaneCommand): void;
  /** Tells the own control plane something. */
  tell(event: PlaneEvent): void;
}

export type MakeBehaviour = (self: Self) => Behaviour;

/** Stands in for `startPlaneHere`. */
export function hostilePlane(
  network: SimNetwork,
  number: NodeNumber,
  make: MakeBehaviour,
  runtime: Runtime,
): StartPlane {
  return (settings, onEvent) => {
    const ends = new Map<string, Pick<PassingBody, 'circuit' | 'side'>>();
    const links = new Map<LinkId, NodeNumber>();
    const onCell = ({ direction, link, circId, command, body }: PassingCell) => {
      const end = command === COMMAND.relay ? ends.get(`${link} ${circId}`) : undefined;
      return end === undefined ? undefined : behaviour.onBody?.({ ...end, direction, body });
    };
    const card = new HostileCard({ runtime, provider, onCell });
    const start = startPlaneHere({ ...runtime, network: card.network }, provider);
    const running = network.witness.watch(number, start)(settings, (event) => {
      const events = behaviour.onEvent?.(event) ?? [event];
      for (const one of events) onEvent(one);
    });
    const post = (command: PlaneCommand): void => {
      learn(command);
      running.post(command);
    };
    const learn = (command: PlaneCommand): void => {
      if (command.type === 'add session') {
        card.learn(command.session);
        const peer = network.witness.peerOf(number, command.session.link);
        if (command.session.stage === 'open' && peer !== undefined) {
          links.set(command.session.link, peer);
        }
      } else if (command.type === 'remove link') links.delete(command.link);
      else if (command.type === 'add relayed' || command.type === 'connect next') {
        const { link, circId, circuit } = command;
        ends.set(`${link} ${circId}`, {
          circuit,
          side: command.type === 'add relayed' ? 'prev' : 'next',
        });
      }
    };
    const { rng } = runtime;
    const { tickMs } = settings;
    const behaviour = make({ number, network, rng, runtime, tickMs, links, post, tell: onEvent });
    return {
      post: (command) => {
        for (const one of behaviour.onCommand?.(command) ?? [command]) post(one);
      },
      stop: () => running.stop(),
    };
  };
}

export function chance(rng: Rng, share: number): boolean {
  return randomBelow(rng, 2 ** 20) < share * 2 ** 20;
}
