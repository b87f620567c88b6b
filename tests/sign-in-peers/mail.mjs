// A mail server (npm smtp-server) that asks for a password and tells of every mail it was given.

import { SMTPServer } from 'smtp-server';

export async function start({ user, password, refuse = false }, say) {
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    authOptional: false,
    onAuth(auth, _session, done) {
      const known = auth.username === user && auth.password === password;
      done(known ? null : new Error('who are you?'), { user: auth.username });
    },
    onRcptTo(address, _session, done) {
      done(refuse || address.address.startsWith('nobody@') ? new Error('no such mailbox') : null);
    },
    onData(stream, session, done) {
      let mail = '';
      stream.on('data', (chunk) => (mail += chunk));
      stream.on('end', () => {
        say({ from: session.envelope.mailFrom.address, to: session.envelope.rcptTo.map((to) => to.address), mail });
        done();
      });
    },
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server.server.address().port;
}
