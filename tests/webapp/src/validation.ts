// What the web app validates before it writes, and what every message in the shared table has to pass: the seed's 8.2
// with its resolutions (R6: ids are not bare UUIDs; R7: favicons are kept, absent sources are null; R8: UTF-16 units).

import { z } from "zod";

const CONTENT_AT_MOST = 100_000;

export const sourceSchema = z.object({
  title: z.string(),
  url: z.url(),
  snippet: z.string(),
  favicon: z.url().optional(),
});

export const metadataSchema = z.looseObject({
  searchQuery: z.string().optional(),
  crawledUrls: z.array(z.string()).optional(),
  model: z.string().optional(),
  tokens: z
    .object({
      prompt: z.int().nonnegative(),
      completion: z.int().nonnegative(),
      total: z.int().nonnegative(),
    })
    .optional(),
  processingTime: z.number().optional(),
});

const uuid = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";

export const messageSchema = z.object({
  id: z.string().regex(new RegExp(`^msg_${uuid}$`)),
  chatId: z.string().regex(new RegExp(`^chat_${uuid}$`)),
  role: z.enum(["user", "assistant", "system"]),
  content: z
    .string()
    .min(1)
    .refine((content) => content.length <= CONTENT_AT_MOST, `at most ${CONTENT_AT_MOST} UTF-16 units`),
  sources: z.array(sourceSchema).nullish(),
  metadata: metadataSchema.nullish(),
});
