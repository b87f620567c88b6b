// A web app that has sign-in and nothing else yet: the four tables of Auth.js.

export { accounts, sessions, users, verificationTokens } from "../schema.ts";
