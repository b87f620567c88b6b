export { default as ChatView } from "./ChatView.svelte";
export { AnswerState } from "./answer.svelte";
export { ChatState, type Choices } from "./chat.svelte";
export { LONGEST_QUESTION } from "./composer.svelte";
export { asMarkdown } from "./copy";
export { modelName } from "./models.svelte";
export { QuestionState } from "./question.svelte";
export { default as Spoken } from "./Spoken.svelte";
