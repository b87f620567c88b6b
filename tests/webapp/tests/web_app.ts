// The web app as it listens: Auth.js behind a plain HTTP server on a free port of this machine, and the mailbox that its
// links arrive in.

import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

import { Auth } from "@auth/core";

import { authConfig } from "../src/auth.ts";
import type { Database } from "../src/queries.ts";
import { identityProvider } from "./identity_provider.ts";

export interface WebApp {
  url: string;
  /** The newest link sent to this address. */
  linkFor(email: string): string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts the web app on `db`, and the identity provider that it trusts. */
export async function webApp(db: Database): Promise<WebApp> {
  const mailbox = new Map<string, string>();
  const listener = await listen();
  const peer = await identityProvider(`${listener.url}/auth/callback/team`);
  const config = authConfig({
    db,
    sendLink: async (email, url) => void mailbox.set(email, url),
    provider: { issuer: peer.issuer, clientId: peer.clientId, clientSecret: peer.clientSecret },
  });
  // What goes wrong is told in the answer; Auth.js also writes it to the terminal, which expects these failures.
  const silent = { ...config, logger: { error() {}, warn() {}, debug() {} } };
  listener.answer(async (request: IncomingMessage, response: ServerResponse) => {
    const answer = await Auth(await asRequest(request, listener.url), silent);
    response.writeHead(answer.status, {
      ...Object.fromEntries(answer.headers),
      "set-cookie": answer.headers.getSetCookie(),
    });
    response.end(await answer.text());
  });
  return {
    url: listener.url,
    linkFor(email) {
      const link = mailbox.get(email);
      if (!link) throw new Error(`no mail was sent to ${email}`);
      return link;
    },
    async [Symbol.asyncDispose]() {
      await peer.close();
      await listener.close();
    },
  };
}

async function asRequest(request: IncomingMessage, origin: string): Promise<Request> {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) if (value) headers.set(name, String(value));
  const init: RequestInit = { method: request.method ?? "GET", headers };
  if (request.method === "POST") init.body = await text(request);
  return new Request(new URL(request.url ?? "/", origin), init);
}

/** A server on a free port, which is told later how to answer: its address is known first. */
export async function listen() {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answer(how: RequestListener | ((request: IncomingMessage, response: ServerResponse) => Promise<void>)) {
      server.on("request", (request, response) => {
        Promise.resolve(how(request, response)).catch((error: unknown) => {
          response.writeHead(500).end(String(error));
        });
      });
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
