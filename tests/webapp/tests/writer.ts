// A web app in use: one person's chats, made, added to, renamed and thrown away through drizzle-orm until standard input
// says `stop`. The database may go at any moment; what failed is done anew, as a person would. Only what was committed is
// counted as done.
//
// `node --import tsx tests/writer.ts DATABASE EMAIL` (started by DeepSearch's journeys).

import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";

import { eq } from "drizzle-orm";

import { addMessages, connect, createChat, userByEmail } from "../src/queries.ts";
import { chats } from "../src/schema.ts";

const [, , url, email] = process.argv;
if (!url || !email) throw new Error("writer.ts DATABASE EMAIL");
const say = (told: object) => process.stdout.write(`${JSON.stringify(told)}\n`);
const { db, close } = connect(url);

let stopped = false;
createInterface({ input: process.stdin })
  .on("line", (line) => (stopped ||= line === "stop"))
  .on("close", () => (stopped = true));

const user = await userByEmail(db, email);
if (!user) throw new Error(`nobody is ${email}`);
say({ ready: true });

const kept: string[] = [];
const messages: string[] = [];
let failed = 0;

for (let step = 0; !stopped; step += 1) {
  try {
    await write(step);
  } catch {
    failed += 1;
    await pause(200);
  }
  await pause(40);
}
say({ kept, messages, failed });
await close();
// The lines may still be open.
process.exit(0);

async function write(step: number): Promise<void> {
  const { chat } = await createChat(db, user!.id);
  kept.push(chat.id);
  const text = (part: string) => `${part} ${step} of the web app`;
  const added = await addMessages(db, chat.id, [
    { role: "user", content: text("Question") },
    { role: "assistant", content: text("Answer") },
  ]);
  messages.push(...added.map(({ id }) => id));
  await db
    .update(chats)
    .set({ title: text("Chat"), updatedAt: new Date() })
    .where(eq(chats.id, chat.id));
  // Every fourth goes to the trash, every eighth for ever.
  if (step % 4 === 3) {
    await db.update(chats).set({ deletedAt: new Date(), updatedAt: new Date() }).where(eq(chats.id, chat.id));
  }
  if (step % 8 === 7) {
    await db.delete(chats).where(eq(chats.id, chat.id));
    kept.splice(kept.indexOf(chat.id), 1);
    for (const { id } of added) messages.splice(messages.indexOf(id), 1);
  }
}
