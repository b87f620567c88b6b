// What the fake answers are about: a few questions worked out in full, sources included. The sites are made up.

import type { AnswerSeed } from "./build";
import { moreTopics } from "./more-topics";

export type Topic = AnswerSeed & {
  title: string;
  question: string;
  queries: string[];
  followUps: string[];
};

const wal: Topic = {
  title: "SQLite write-ahead logging",
  question: "How does SQLite's WAL mode work, and when should I not use it?",
  queries: ["sqlite wal mode how it works", "sqlite wal mode disadvantages network filesystem"],
  followUps: [
    "How large should I let the WAL file grow?",
    "Does WAL mode change how backups are made?",
    "What does synchronous=NORMAL risk in WAL mode?",
  ],
  pages: [
    {
      url: "https://docs.sqlite.example/wal.html",
      title: "Write-Ahead Logging",
      site: "SQLite Notes",
      published: "2026-03-14",
      blocks: [
        "Most databases keep a second file beside the data so that a crash cannot leave half a change behind. SQLite has two ways of doing it, and they differ in which file receives the new content first.",
        "## How it works",
        "A rollback journal saves the old pages and then overwrites the database in place. A write-ahead log turns this around: changed pages are appended to the log, and the database file is left untouched. A commit happens when a record that marks it is appended to the log.",
        "Because the database is not touched by a writer, readers do not block writers and a writer does not block readers. Each reader remembers the last commit record it saw when it began, which gives it a snapshot for as long as it runs.",
        "## Checkpointing",
        "Sooner or later the content of the log has to move back into the database, and that is called a checkpoint. By default a checkpoint runs by itself when the log reaches 1000 pages. A reader that stays open holds the checkpoint back, and the log grows for as long as it does.",
        "- Passive checkpoints do what they can without waiting for anyone.\n- Full checkpoints wait until there is no writer and every reader sees the newest content.\n- Truncating checkpoints do the same and then cut the log to zero bytes.",
        "## When it does not fit",
        "All processes that use a database in WAL mode must be on the same host, because the index of the log lives in shared memory. It does not work over a network filesystem.",
        "| Property | Rollback journal | Write-ahead log\n| Readers during a write | wait | continue\n| Writers at a time | one | one\n| Network filesystems | possible | not possible",
        "    PRAGMA journal_mode = WAL;\n    PRAGMA synchronous = NORMAL;",
      ],
    },
    {
      url: "https://blog.ledgerworks.example/posts/wal-in-production?utm=1",
      title: "Three years of SQLite in production: what WAL mode gave us and what it cost",
      site: "Ledgerworks Engineering",
      author: "Ines Albrecht",
      published: "2025-11-02",
      blocks: [
        "We moved forty services from a shared server to local SQLite files in the spring of 2022. This is what we would tell ourselves then.",
        "Median write latency fell from 11 ms to 0.6 ms after the switch to WAL with synchronous set to NORMAL. With that setting a power cut may lose the last commits, but it cannot corrupt the file.",
        "The one surprise was size. A reporting job that kept a read transaction open overnight let the log grow to 38 GB before anyone noticed.",
        "We now open every connection with a busy timeout of five seconds, and reports read in short transactions.",
      ],
    },
    {
      url: "https://wiki.storage.example/Advisory_locks",
      title: "Advisory locks and network file systems",
      site: "Storage Wiki",
      blocks: [
        "Network file systems differ widely in how well they honour advisory locks.",
        "Shared memory mapped by two hosts from one remote file is not coherent, so anything that relies on it will read stale data.",
        "A safe design puts a server process beside the file and lets clients speak to that.",
      ],
    },
    {
      url: "https://forum.embedded.example/t/wal-on-flash/4471",
      title: "WAL on flash storage: wear and tear?",
      site: "Embedded Forum",
      published: "2024-06-19",
      blocks: [
        "Has anyone measured write amplification with WAL on cheap flash?",
        "In our loggers the log halved the number of erased blocks, since small commits are appended in sequence and pages that change often are written back once per checkpoint.",
      ],
    },
  ],
  answer: `In WAL mode SQLite **appends changed pages to a separate log** instead of overwriting the database file [1:changed pages are appended to the log]. A commit is nothing more than a record at the end of that log [1:A commit happens when a record]. Because the database itself is left alone, readers do not block writers and a writer does not block readers [1:readers do not block writers].

## How the pieces fit

1. **Writing.** New versions of pages go to \`app.db-wal\`, one after the other [1:changed pages are appended to the log].
2. **Reading.** Each reader keeps to the last commit it saw when it began, so it has a stable snapshot [1:Each reader remembers the last commit record].
3. **Checkpointing.** Content moves back into the database, by default once the log has 1000 pages [1:By default a checkpoint runs by itself].

Turning it on takes one statement, and the setting is kept in the file:

\`\`\`sql
-- Persistent: every later connection finds the database in WAL mode.
PRAGMA journal_mode = WAL;
-- Safe against corruption; a power cut may cost the last commits.
PRAGMA synchronous = NORMAL;
PRAGMA busy_timeout = 5000;
\`\`\`

In one team's services the median write fell from 11 ms to 0.6 ms after the switch [2:Median write latency fell]. On flash storage it can also reduce wear, because small commits are appended in sequence [4:In our loggers the log halved].{partly}

## What changes

| | Rollback journal | Write-ahead log |
| --- | --- | --- |
| Readers during a write | wait | go on [1:Readers during a write] |
| Writers at a time | one | one [1:Writers at a time] |
| Network file systems | possible | not possible [1:Network filesystems] |

The expected number of log pages that a reader must look through grows with the time $t$ since the last checkpoint. With $w$ commits a second of $p$ pages each it is

$$
n(t) = w \\cdot p \\cdot t, \\qquad n_{\\max} = w\\,p\\,\\max(T_{\\text{read}}, T_{\\text{checkpoint}})
$$

so a long read is as costly as a missing checkpoint.

## When not to use it

- **On a network share.** All processes must be on one host, because the log's index lives in shared memory [1:All processes that use a database][3:Shared memory mapped by two hosts].
- **With readers that never end.** A reader that stays open holds the checkpoint back [1:A reader that stays open]; one overnight report let a log grow to 38 GB [2:The one surprise was size].
- **For databases larger than 100 GB**, where it is not recommended at all.{missing}

If you need the file on a share, put a small server beside it and let clients speak to that [3:A safe design puts a server process].`,
};

export const topics: readonly Topic[] = [wal, ...moreTopics];
