// Starts the quick-ask window.

import { mount } from "svelte";
import Quick from "./Quick.svelte";
import { AppState } from "./app-state.svelte";
import { choosePlatform } from "./platform/choose";
import { language } from "./shared/i18n.svelte";

const platform = await choosePlatform("quick");
await language.choose(platform.start.language ?? "");
const app = new AppState(platform);
app.applyLook();
mount(Quick, { target: document.getElementById("app")!, props: { app } });
app.start();
