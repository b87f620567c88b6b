// The sections of the settings: what each is called, its icon and what draws it.

import CircleUser from "@lucide/svelte/icons/circle-user";
import ChartNoAxesColumn from "@lucide/svelte/icons/chart-no-axes-column";
import Cpu from "@lucide/svelte/icons/cpu";
import Database from "@lucide/svelte/icons/database";
import Folder from "@lucide/svelte/icons/folder";
import Info from "@lucide/svelte/icons/info";
import Keyboard from "@lucide/svelte/icons/keyboard";
import Power from "@lucide/svelte/icons/power";
import Search from "@lucide/svelte/icons/search";
import ShieldCheck from "@lucide/svelte/icons/shield-check";
import SunMoon from "@lucide/svelte/icons/sun-moon";
import TextQuote from "@lucide/svelte/icons/text-quote";
import Users from "@lucide/svelte/icons/users";
import type { Component } from "svelte";
import type { SettingsSection } from "../../app-state.svelte";
import { m } from "../../shared/messages";
import { AccountSection } from "../account";
import { DatabaseSection } from "../database";
import { UsageSection } from "../usage";
import About from "./About.svelte";
import Answers from "./Answers.svelte";
import Appearance from "./Appearance.svelte";
import DataSection from "./data/DataSection.svelte";
import FoldersSection from "./folders/FoldersSection.svelte";
import ModelsSection from "./models/ModelsSection.svelte";
import PrivacySection from "./privacy/PrivacySection.svelte";
import SearchSection from "./search/SearchSection.svelte";
import ShortcutsSection from "./shortcuts/ShortcutsSection.svelte";
import StartUp from "./StartUp.svelte";

type Section = { label: () => string; icon: Component; view: Component };

export const sections: Readonly<Record<SettingsSection, Section>> = {
  appearance: { label: m.settings_section_appearance, icon: SunMoon, view: Appearance },
  search: { label: m.settings_section_search, icon: Search, view: SearchSection },
  folders: { label: m.folders_section, icon: Folder, view: FoldersSection },
  answers: { label: m.settings_section_answers, icon: TextQuote, view: Answers },
  models: { label: m.settings_section_models, icon: Cpu, view: ModelsSection },
  usage: { label: m.evidence_usage, icon: ChartNoAxesColumn, view: UsageSection },
  shortcuts: { label: m.settings_section_shortcuts, icon: Keyboard, view: ShortcutsSection },
  data: { label: m.settings_section_data, icon: Database, view: DataSection },
  privacy: { label: m.settings_section_privacy, icon: ShieldCheck, view: PrivacySection },
  account: { label: m.settings_section_account, icon: CircleUser, view: AccountSection },
  database: { label: m.settings_section_database, icon: Users, view: DatabaseSection },
  start: { label: m.settings_section_start, icon: Power, view: StartUp },
  about: { label: m.settings_section_about, icon: Info, view: About },
};
