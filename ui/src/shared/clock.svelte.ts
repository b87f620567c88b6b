// The time, a minute at a time, for everything that says how long ago something was. Ticks only while it is looked at.

import { createSubscriber } from "svelte/reactivity";

const subscribe = createSubscriber((update) => {
  const timer = setInterval(update, 60_000);
  return () => clearInterval(timer);
});

/** Reading it in a template makes the template follow the clock. */
export function now(): number {
  subscribe();
  return Date.now();
}
