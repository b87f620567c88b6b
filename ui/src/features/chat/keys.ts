// The keys of a chat: they mean its question field, its last question and its last answer, wherever the focus is.

import type { AppState } from "../../app-state.svelte";
import { isComposing, matches } from "../../shared/shortcuts";
import { AnswerState } from "./answer.svelte";
import type { ChatState, Choices } from "./chat.svelte";
import { copyAnswer } from "./copy";
import { QuestionState } from "./question.svelte";

export type KeyTargets = {
  app: AppState;
  chat: ChatState;
  choices: Choices;
  /** Whether the question field has the focus and nothing in it. */
  isFieldEmpty: (target: EventTarget | null) => boolean;
  focusField: () => void;
};

export function chatKey(event: KeyboardEvent, targets: KeyTargets): void {
  // While a word is composed, its keys are the input method's: Esc drops the word and stops nothing.
  if (event.defaultPrevented || isComposing(event) || targets.app.palette) return;
  const deed = deedOf(event, targets);
  if (!deed) return;
  event.preventDefault();
  deed();
}

function deedOf(
  event: KeyboardEvent,
  { app, chat, choices, isFieldEmpty, focusField }: KeyTargets,
): (() => void) | null {
  const answer = lastOf(chat, AnswerState);
  if (chat.running && (matches(event, "stop") || event.key === "Escape")) return () => void chat.stop();
  if (matches(event, "focus_ask")) return focusField;
  if (answer && matches(event, "copy_answer")) return () => void copyAnswer(app, answer);
  if (answer && matches(event, "toggle_sources")) return () => (answer.view.sources = !answer.view.sources);
  if (chat.running) return null;
  if (answer && matches(event, "regenerate")) return () => void chat.regenerate(answer, choices);
  const question = lastOf(chat, QuestionState);
  if (question?.id && matches(event, "edit_last") && isFieldEmpty(event.target)) {
    return () => (question.editing = question.content);
  }
  return null;
}

function lastOf<Entry extends AnswerState | QuestionState>(
  chat: ChatState,
  kind: new (...args: never[]) => Entry,
): Entry | undefined {
  return chat.entries.findLast((entry): entry is Entry => entry instanceof kind);
}
