// One peer as a process: `node peer.mjs KIND OPTIONS`, the options in JSON. Writes one JSON object a line: first the
// port, then what it receives. Ends when its standard input does, and so with whoever started it.

const peers = { openid: './openid.mjs', google: './google.mjs', mail: './mail.mjs' };

const [, , kind, options = '{}'] = process.argv;
const { start } = await import(peers[kind]);
const say = (object) => process.stdout.write(`${JSON.stringify(object)}\n`);
say({ port: await start(JSON.parse(options), say) });

process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
