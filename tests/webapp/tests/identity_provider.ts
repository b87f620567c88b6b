// The team's OpenID provider: `oidc-provider`, a certified implementation, on a free port of this machine. Its own
// development pages ask who signs in, and any name is believed; what Auth.js sees of it is the real protocol.

import Provider from "oidc-provider";

import { listen } from "./web_app.ts";

export interface IdentityProvider {
  issuer: string;
  clientId: string;
  clientSecret: string;
  close(): Promise<void>;
}

/** Starts one whose only client is the web app at `redirectUri`. */
export async function identityProvider(redirectUri: string): Promise<IdentityProvider> {
  const listener = await listen();
  const client = { clientId: "web-app", clientSecret: "a secret between the web app and its provider" };
  const provider = new Provider(listener.url, {
    clients: [
      {
        client_id: client.clientId,
        client_secret: client.clientSecret,
        redirect_uris: [redirectUri],
        grant_types: ["authorization_code", "refresh_token"],
      },
    ],
    cookies: { keys: ["a key of this run"] },
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "picture"] },
    // Auth.js reads a person from the ID token, as most providers fill it.
    conformIdTokenClaims: false,
    findAccount: (_, name) => ({
      accountId: name,
      claims: async () => ({
        sub: name,
        name: `${name} of the team`,
        email: `${name}@example.org`,
        email_verified: true,
        picture: `https://example.org/${name}.png`,
      }),
    }),
    ttl: {
      AccessToken: 3600,
      AuthorizationCode: 60,
      Grant: 86_400,
      IdToken: 3600,
      Interaction: 600,
      RefreshToken: 86_400,
      Session: 3600,
    },
  });
  listener.answer(provider.callback());
  return { issuer: listener.url, ...client, close: listener.close };
}
