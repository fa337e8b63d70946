// Commands to the data plane as a reader understands them: what is random in their bytes is left out, and nothing else.

import { COMMAND, cellBody, cellCircuit, cellCommand } from '../../link/index.ts';
import { CellCollector, decodeRefusal, type Refusal } from '../control-cells.ts';
import { INNER_PLAIN_BYTES } from '../geometry.ts';
import { INNER, type InnerMessage, InnerReceiver } from '../inner.ts';
import type { PlaneCommand } from '../plane-port.ts';

export type ReadCell =
  | { readonly circId: number; readonly create: Uint8Array }
  | { readonly circId: number; readonly created: Uint8Array }
  | { readonly circId: number; readonly destroy: Refusal };

/** The messages in these cells, each whole. */
export function readCells(cells: readonly Uint8Array[]): ReadCell[] {
  const collector = new CellCollector();
  return cells.flatMap((cell): ReadCell[] => {
    const circId = cellCircuit(cell);
    if (cellCommand(cell) === COMMAND.destroy) {
      return [{ circId, destroy: decodeRefusal(cellBody(cell)) }];
    }
    const payload = collector.collect(cell, 0);
    if (payload === undefined) return [];
    return cellCommand(cell) === COMMAND.create
      ? [{ circId, create: payload }]
      : [{ circId, created: payload }];
  });
}

export function padded(message: Uint8Array): Uint8Array {
  const plaintext = new Uint8Array(INNER_PLAIN_BYTES);
  plaintext.set(message);
  return plaintext;
}

/** The messages in these plaintexts, each whole. */
export function readInner(messages: readonly Uint8Array[]): InnerMessage[] {
  const receiver = new InnerReceiver();
  return messages.flatMap((message) => receiver.receive(padded(message), 0) ?? []);
}

export interface ReadMessage {
  readonly what: keyof typeof INNER | undefined;
  readonly data: Uint8Array;
}

/** A command with `cells`, `cell` and `messages` read. */
export function readCommand(command: PlaneCommand): object {
  if ('cells' in command) return { ...command, cells: readCells(command.cells) };
  if ('cell' in command) return { ...command, cell: readCells([command.cell])[0] };
  if ('messages' in command) {
    const messages = readInner(command.messages).map(({ type, data }) => ({
      what: nameOf(type),
      data,
    }));
    return { ...command, messages };
  }
  return command;
}

/** Outputs of a machine, with the commands among them read. */
export function read(outputs: readonly { readonly type: string }[]): object[] {
  return outputs.map((output) =>
    isPlane(output) ? { plane: readCommand(output.command) } : output,
  );
}

function isPlane(output: {
  readonly type: string;
}): output is { readonly type: 'plane'; readonly command: PlaneCommand } {
  return output.type === 'plane';
}

function nameOf(type: number): keyof typeof INNER | undefined {
  const found = Object.entries(INNER).find(([, number]) => number === type);
  return found?.[0] as keyof typeof INNER | undefined;
}
