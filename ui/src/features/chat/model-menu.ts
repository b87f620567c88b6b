// The models as entries of a menu: those of this computer, those elsewhere, and the writer that is none.

import type { ModelId, ModelInfo } from "../../bindings/bindings";
import { m } from "../../shared/messages";
import type { MenuItem } from "../../shared/Menu.svelte";
import { modelName } from "./models.svelte";

export function modelItems(
  models: readonly ModelInfo[],
  onselect: (id: ModelId) => void,
  /** Where one of them is the chosen one. */
  chosen?: ModelId | null,
): (MenuItem | string | null)[] {
  const item = ({ id, provider }: ModelInfo): MenuItem => ({
    label: modelName(id),
    hint: id === "extractive" ? m.chat_model_extractive_about() : provider,
    ...(chosen !== undefined && { checked: id === chosen }),
    onselect: () => onselect(id),
  });
  const group = (heading: string, some: readonly ModelInfo[]) => (some.length > 0 ? [heading, ...some.map(item)] : []);
  const written = models.filter(({ id }) => id !== "extractive");
  return [
    ...group(
      m.chat_models_local(),
      written.filter(({ local }) => local),
    ),
    ...group(
      m.chat_models_hosted(),
      written.filter(({ local }) => !local),
    ),
    ...models.filter(({ id }) => id === "extractive").flatMap((model) => [null, item(model)]),
  ];
}
