// The web app's sign-in: Auth.js with its Drizzle adapter on the shared tables, by a link in an e-mail or by the team's
// OpenID provider. Sessions are rows, so that a sign-out ends them for everybody.

import type { AuthConfig } from "@auth/core";
import type { Adapter } from "@auth/core/adapters";
import { DrizzleAdapter } from "@auth/drizzle-adapter";

import type { Database } from "./queries.ts";
import { accounts, sessions, users, verificationTokens } from "./schema.ts";

export const adapter = (db: Database): Adapter =>
  DrizzleAdapter(db, {
    usersTable: users,
    accountsTable: accounts,
    sessionsTable: sessions,
    verificationTokensTable: verificationTokens,
  });

export interface SignInSettings {
  db: Database;
  /** Sends the link that signs in whoever reads mail at this address. */
  sendLink: (email: string, url: string) => Promise<void>;
  provider: { issuer: string; clientId: string; clientSecret: string };
}

export const authConfig = ({ db, sendLink, provider }: SignInSettings): AuthConfig => ({
  adapter: adapter(db),
  basePath: "/auth",
  secret: "known only to these tests",
  trustHost: true,
  // Each look at a session moves its end, so that the tests need not wait for a day.
  session: { strategy: "database", updateAge: 0 },
  providers: [
    {
      id: "email",
      name: "E-mail",
      type: "email",
      from: "web-app@example.org",
      maxAge: 24 * 60 * 60,
      sendVerificationRequest: ({ identifier, url }) => sendLink(identifier, url),
    },
    {
      id: "team",
      name: "The team",
      type: "oidc",
      ...provider,
      checks: ["pkce", "state", "nonce"],
      // A refresh token is given only to someone who was asked.
      authorization: { params: { scope: "openid profile email offline_access", prompt: "consent" } },
    },
  ],
});
