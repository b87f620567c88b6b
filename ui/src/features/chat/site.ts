// Where a source comes from, in a word or two: a site's host, the guide, a past chat.

import { m } from "../../shared/messages";
import { hostName, webAddress } from "../../shared/markdown";

export function siteName(url: string): string {
  const address = webAddress(url);
  if (address) return hostName(address);
  if (url.startsWith("files:")) return m.folders_scope_files();
  return /^(chat|page):/.test(url) ? m.chat_engine_chats() : m.chat_engine_guide();
}
