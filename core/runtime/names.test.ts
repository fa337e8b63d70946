import { expect, it } from 'vitest';
import { resolveHost } from './names.ts';

it('finds addresses of names and of addresses, and nothing for a name that has none', async () => {
  expect(await resolveHost({ host: '192.0.2.1', port: 5 })).toEqual({ ip: '192.0.2.1', port: 5 });
  expect(await resolveHost({ host: 'localhost', port: 5 })).toMatchObject({ port: 5 });
  expect(await resolveHost({ host: 'nowhere.invalid', port: 5 })).toBeUndefined();
});
