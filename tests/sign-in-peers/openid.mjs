// A certified OpenID provider (npm oidc-provider) with its own pages for signing in and agreeing. Whoever types a login
// is that person; one whose login begins with `unverified` has an address that was never confirmed.

import Provider from 'oidc-provider';
import { createServer } from 'node:http';

export async function start({ clients }) {
  let provider;
  const server = createServer((request, response) => provider.callback()(request, response));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  provider = new Provider(`http://127.0.0.1:${port}`, {
    clients,
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'picture'] },
    features: { devInteractions: { enabled: true } },
    pkce: { required: () => true },
    cookies: { keys: ['a key of this test'] },
    async findAccount(_context, id) {
      return {
        accountId: id,
        async claims() {
          return {
            sub: id,
            email: id.includes('@') ? id : `${id}@example.org`,
            email_verified: !id.startsWith('unverified'),
            name: `${id} of the test`,
            picture: 'https://example.org/picture.png',
          };
        },
      };
    },
  });
  return port;
}
