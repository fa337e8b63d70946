// docs/configuration.md, made from the table of options.ts, so that it cannot say anything else than the program does.

import { OPTIONS, type Option } from './options.ts';

export const EXAMPLE = `hostkey = hostkey.pem

[gossip]
bootstrapper = relay.example.org:6001, [2001:db8::1]:6001
p2p_address = 192.0.2.7:6001
api_address = 127.0.0.1:7001

[onion]
p2p_hostname = 192.0.2.7
p2p_port = 6301
api_address = 127.0.0.1:7301
`;

const INTRODUCTION = `# Configuration

Made from \`core/config/options.ts\` by \`npm run --silent voidphone -- help config\`. Change it there.

All modules read one file: \`voidphone onion -c FILE\`, \`voidphone node -c FILE\`. A module may read the sections of
others, to find their addresses.

\`\`\`ini
${EXAMPLE}\`\`\`

- Windows INI in UTF-8, at most 256 KiB: \`name = value\` under \`[section]\`. What stands before the first section
  belongs to \`[global]\`. Names are lower case.
- \`;\` and \`#\` start a comment, behind a value too. A value that contains one stands in quotes: \`"a;b"\`. Nothing
  may follow the closing quote.
- \`\\\` before \`;\`, \`#\` or \`\\\` takes away its meaning, and double quotes follow the rules of JSON. Between single
  quotes every character means itself: \`hostkey = '\\\\server\\keys\\hostkey.pem'\`.
- An unknown section or option is ignored with a warning. A wrong value, or an option set twice, is an error: nothing
  is started, every error is named, and the exit code is 2.
`;

export function configurationReference(): string {
  const sections = Object.entries<Readonly<Record<string, Option>>>(OPTIONS);
  return [INTRODUCTION, ...sections.map(([name, options]) => section(name, options))].join('\n');
}

function section(name: string, options: Readonly<Record<string, Option>>): string {
  const rows = Object.entries(options).map(([option, { kind, explanation, readBy, ...rest }]) =>
    row(`\`${option}\``, kind.accepts, rest.default || '–', explanation + place(rest), readBy),
  );
  const head = [
    row('option', 'value', 'default', 'meaning', 'read by'),
    row(...Array(5).fill('---')),
  ];
  return `## [${name}]\n\n${[...head, ...rows].join('\n')}\n`;
}

function place({ alsoIn }: Pick<Option, 'alsoIn'>): string {
  return alsoIn === undefined ? '' : ` May stand in [${alsoIn}] too.`;
}

function row(...cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
