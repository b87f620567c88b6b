// The Platform without Rust: for tests, and for looking at the interface in any browser. Never part of the app.

import type {
  Account,
  AccountState,
  AnswerEvent,
  AnswerLedger,
  AppInfo,
  AskRequest,
  AttachedFile,
  Backup,
  Before,
  BulkChange,
  BulkDone,
  Chat,
  ChatCursor,
  ChatFilter,
  ChatId,
  ChatLabels,
  ChatView,
  CollectionId,
  DataFolder,
  EngineEvent,
  EngineId,
  EngineStatus,
  EngineTrial,
  Every,
  ExportChoice,
  Exported,
  ExportProgress,
  Finding,
  ExportFormat,
  FolderList,
  GatewayInfo,
  HistoryQuery,
  HistoryResults,
  ImportProgress,
  ImportReport,
  Leaving,
  LibraryChanged,
  MessageId,
  ModelInfo,
  Navigate,
  OfferedFolder,
  OpenChat,
  OpenMessage,
  Page,
  PageId,
  PlanEdit,
  ProviderStatus,
  Reranking,
  RecheckHistory,
  RecheckSchedule,
  ResearchProgress,
  RowKey,
  RunningAnswer,
  SavedQuery,
  SavedSearchId,
  ScheduledRecheck,
  SearchStatistics,
  SessionCursor,
  SessionPage,
  SettingsChanged,
  SettingValue,
  Shortcut,
  SignInStep,
  Sorting,
  Start,
  SyncConflict,
  SyncStatus,
  Table,
  TableRows,
  TableSummary,
  Usage,
  WebResults,
  Way,
  WindowKind,
} from "../bindings/bindings";
import { FakeAccount } from "./fake/account";
import { FakeRun } from "./fake/asking";
import { FakeCarry } from "./fake/carry";
import { FakeConfiguration } from "./fake/configuration";
import { FakeDatabase } from "./fake/database";
import { FakeEvidence } from "./fake/evidence";
import { failures } from "./fake/failures";
import { searchHistory } from "./fake/history";
import { fakeIcon } from "./fake/icons";
import { fakePictures } from "./fake/pictures";
import { FakeFolders } from "./fake/folders";
import { fail, FakeLibrary } from "./fake/library";
import { type FakeOptions, withDefaults } from "./fake/options";
import { FakeRechecks } from "./fake/rechecks";
import { type FakeResearch } from "./fake/researching";
import { FakeSorting } from "./fake/sorting";
import { FakeSync } from "./fake/sync";
import type { Platform } from "./platform";

/** Something done to the world outside the window, for tests to look at. */
export type Deed = { what: string; about: unknown };

const LEFT = { steps: null, pages: null, minutes: null, tokens: null, money: null, plan_first: false };

export class FakePlatform implements Platform {
  readonly start: Start;
  readonly options: FakeOptions;
  readonly library: FakeLibrary;
  readonly sorted: FakeSorting;
  readonly configuration: FakeConfiguration;
  readonly database: FakeDatabase;
  readonly evidence: FakeEvidence;
  readonly account: FakeAccount;
  readonly folders: FakeFolders;
  readonly carry = new FakeCarry();
  readonly sync: FakeSync;
  readonly rechecks: FakeRechecks;
  readonly deeds: Deed[] = [];
  readonly #runs = new Map<MessageId, FakeRun>();
  readonly #researches = new Map<MessageId, FakeResearch>();
  readonly #onLibrary = new Set<(changed: LibraryChanged) => void>();
  readonly #onSettings = new Set<(changed: SettingsChanged) => void>();
  readonly #onDropped = new Set<(files: AttachedFile[]) => void>();
  readonly #onFolders = new Set<(folders: OfferedFolder[]) => void>();
  readonly #onNavigate = new Set<(navigate: Navigate) => void>();
  readonly #onShown = new Set<() => void>();
  readonly #onOnline = new Set<(online: boolean) => void>();
  #online: boolean;
  #startsAtLogin = false;
  readonly #madeBackups: Backup[] = [];

  constructor(
    readonly window: WindowKind = "main",
    options: Partial<FakeOptions> = {},
  ) {
    this.options = withDefaults(options);
    const { theme, language, textSize, navigate, scenario } = this.options;
    this.start = { window, navigate, theme, language, text_size: textSize };
    this.library = new FakeLibrary(this.options);
    this.sorted = new FakeSorting(this.library, this.options.sorted);
    this.configuration = new FakeConfiguration(this.options);
    this.evidence = new FakeEvidence(this.options, this.configuration);
    this.folders = new FakeFolders(this.options.scenario !== "empty");
    this.account = new FakeAccount(this.options, this.configuration);
    this.database = new FakeDatabase(this.options, this.account, () => this.configuration.value("shared.url") === true);
    this.sync = new FakeSync(this.options);
    this.rechecks = new FakeRechecks(this.options, this.library, (chat) => this.#changed(chat));
    this.#online = scenario !== "offline";
    if (scenario === "running")
      this.#begin({
        question: "",
        turn: { regenerating: "msg_wal_q2b" },
        scope: null,
        also: [],
        files: [],
        model: null,
        time_range: null,
        depth: "quick",
        research: LEFT,
      });
  }

  async info(): Promise<AppInfo> {
    const { os, readOnly, repaired } = this.options;
    const damaged = "/home/ada/.local/share/deepsearch/deepsearch.sqlite-damaged-20261130";
    return this.#answer({
      version: "0.4.0",
      os,
      session: os === "linux" ? "x11" : "other",
      tray: true,
      data_folder: "/home/ada/.local/share/deepsearch",
      read_only: readOnly,
      recovery: repaired ? { restored: "2026-11-29T08:00:00Z", rows: 12_408, lost: 3, damaged } : null,
    });
  }

  async ask(request: AskRequest, onEvents: (events: AnswerEvent[]) => void): Promise<void> {
    await this.#answer(null);
    if (this.options.readOnly) throw failures.readOnly;
    this.deeds.push({ what: "ask", about: request });
    const run = this.#begin(request);
    run.watch(onEvents);
    await run.ended;
  }

  async watchAnswer(answer: MessageId, onEvents: (events: AnswerEvent[]) => void): Promise<boolean> {
    const run = this.#runs.get(answer);
    if (!run) return false;
    run.watch(onEvents);
    await run.ended;
    return true;
  }

  async stopAnswer(answer: MessageId): Promise<boolean> {
    const run = this.#runs.get(answer);
    run?.stop();
    return run !== undefined;
  }

  async runningAnswers(): Promise<RunningAnswer[]> {
    return [...this.#runs.values()].map(({ chat_id, question_id, answer_id }) => ({ chat_id, question_id, answer_id }));
  }

  async findResearch(answer: MessageId): Promise<ResearchProgress | null> {
    return structuredClone(this.#researches.get(answer)?.progress ?? null);
  }

  async editPlan(answer: MessageId, edit: PlanEdit): Promise<ResearchProgress> {
    const research = this.#researches.get(answer);
    if (!research) return fail("research", answer);
    return this.#answer(research.edit(edit));
  }

  async recheckAnswer(answer: MessageId, onEvents: (events: AnswerEvent[]) => void): Promise<void> {
    await this.#reach();
    await this.rechecks.check(this.library.message(answer), this.#online, onEvents);
  }

  async watchRecheck(answer: MessageId, onEvents: (events: AnswerEvent[]) => void): Promise<boolean> {
    return this.rechecks.watch(answer, onEvents);
  }

  async stopRecheck(answer: MessageId): Promise<boolean> {
    return this.rechecks.stop(answer);
  }

  async listRechecks(answer: MessageId): Promise<RecheckHistory> {
    await this.#reach();
    return this.rechecks.list(answer);
  }

  async recheckLedger(answer: MessageId, checkedAt: string): Promise<AnswerLedger | null> {
    await this.#reach();
    const kept = this.evidence.ledger(this.library.message(answer));
    return kept && { ...kept, at: checkedAt };
  }

  async scheduleRecheck(answer: MessageId, every: Every | null): Promise<RecheckSchedule | null> {
    await this.#reach();
    this.deeds.push({ what: "scheduleRecheck", about: { answer, every } });
    return this.rechecks.schedule(answer, every);
  }

  async scheduledRechecks(): Promise<ScheduledRecheck[]> {
    await this.#reach();
    return this.rechecks.scheduled();
  }

  async listChats(view: ChatView, after: ChatCursor | null, limit: number): Promise<Chat[]> {
    await this.#reach();
    return this.library.list(view, after, limit);
  }

  async openChat(chat: ChatId, before: MessageId | null, limit: number): Promise<OpenChat> {
    await this.#reach();
    return this.library.open(chat, before, limit);
  }

  async openMessage(message: MessageId): Promise<OpenMessage> {
    await this.#reach();
    return this.library.message(message);
  }

  async answerLedger(message: MessageId): Promise<AnswerLedger | null> {
    await this.#reach();
    return this.evidence.ledger(this.library.message(message));
  }

  async showBranch(message: MessageId): Promise<void> {
    this.library.showBranch(message);
    this.#changed(this.library.stored(message).chat_id);
  }

  renameChat = (chat: ChatId, title: string) => this.#change(chat, { title, updated_at: this.library.now() });
  pinChat = (chat: ChatId, pinned: boolean) => this.#change(chat, { pinned });
  archiveChat = (chat: ChatId, archived: boolean) => this.#change(chat, { archived });
  deleteChat = (chat: ChatId) => this.#change(chat, { deleted_at: this.library.now() });
  restoreChat = (chat: ChatId) => this.#change(chat, { deleted_at: null });

  async deleteChatForever(chat: ChatId): Promise<void> {
    await this.#reach();
    this.library.forget(chat);
    this.#changed(chat);
  }

  async emptyTrash(): Promise<number> {
    const gone = this.library.list("trash", null, Infinity);
    for (const chat of gone) this.library.forget(chat.id);
    this.#changed(...gone.map((chat) => chat.id));
    return gone.length;
  }

  async searchHistory(query: HistoryQuery): Promise<HistoryResults> {
    await this.#reach();
    return searchHistory(this.library, this.sorted, query);
  }

  async sorting(): Promise<Sorting> {
    await this.#reach();
    return this.sorted.sorting();
  }

  async listSortedChats(filter: ChatFilter, after: ChatCursor | null, limit: number): Promise<Chat[]> {
    await this.#reach();
    const all = this.library.list(filter.view, null, Infinity).filter((chat) => this.sorted.passes(chat, filter));
    const from = after ? all.findIndex(({ id }) => id === after.id) + 1 : 0;
    return all.slice(from, from + limit);
  }

  async listLabels(chats: ChatId[]): Promise<ChatLabels[]> {
    await this.#reach();
    return this.sorted.labels(chats);
  }

  addCollection = (name: string) => this.#sort(() => this.sorted.add(name));
  renameCollection = (id: CollectionId, name: string) => this.#sort(() => this.sorted.rename(id, name));
  orderCollection = (id: CollectionId, place: number) => this.#sort(() => this.sorted.order(id, place));
  deleteCollection = (id: CollectionId) => this.#sort(() => this.sorted.delete(id));
  saveSearch = (name: string, query: SavedQuery) => this.#sort(() => this.sorted.save(name, query));
  deleteSavedSearch = (id: SavedSearchId) => this.#sort(() => this.sorted.forget(id));

  async changeChats(chats: ChatId[], change: BulkChange): Promise<BulkDone> {
    this.deeds.push({ what: "changeChats", about: { chats, change } });
    await this.#reach();
    return this.#told(this.sorted.change(chats, change));
  }

  async undoChange(undo: Before[]): Promise<BulkDone> {
    await this.#reach();
    return this.#told(this.sorted.makeSo(undo));
  }

  async #sort<T>(work: () => T): Promise<T> {
    await this.#reach();
    const done = work();
    this.#changed();
    return done;
  }

  #told(done: BulkDone): BulkDone {
    if (done.changed.length > 0) this.#changed(...done.changed.map((chat) => chat.id));
    return done;
  }

  async searchWeb(text: string): Promise<WebResults> {
    this.deeds.push({ what: "searchWeb", about: text });
    await this.#answer(null, 400);
    if (!this.#online) throw failures.offline;
    const most = Number(this.configuration.setting("max_search_results").value);
    return { hits: this.library.webHits(text).slice(0, most), failures: [failures.captcha] };
  }

  async readPage(url: string): Promise<Page> {
    this.deeds.push({ what: "readPage", about: url });
    await this.#answer(null, 600);
    if (!this.#online) throw failures.offline;
    return this.library.readPage(url);
  }

  async openPage(page: PageId): Promise<Page> {
    await this.#reach();
    return structuredClone(this.library.page(page));
  }

  answerPictures = (message: MessageId) => this.#answer(fakePictures(this.library.message(message)));
  favicon = (pageUrl: string) => this.#answer(fakeIcon(pageUrl));
  openLink = (url: string) => this.#do("openLink", url);
  copyText = (text: string) => this.#do("copyText", text);

  listSettings = () => this.#answer(this.configuration.settings());

  async updateSetting(key: string, text: string | null): Promise<SettingValue> {
    await this.#answer(null);
    const setting = this.configuration.update(key, text);
    for (const listener of this.#onSettings) listener({ keys: [key] });
    return setting;
  }

  listEngines = () => this.#answer<EngineStatus[]>(this.configuration.engines());
  tryEngines = () => this.#answer<EngineTrial[]>(this.configuration.trials(), 900);
  engineHistory = (engine: EngineId | null, limit: number) =>
    this.#answer<EngineEvent[]>(this.evidence.history(engine, limit));
  listModels = () => this.#answer<ModelInfo[]>(this.configuration.models());
  defaultModel = () => this.#answer<ModelInfo>(this.configuration.defaultModel());
  listProviders = () => this.#answer<ProviderStatus[]>(this.configuration.providers());
  reranking = () => this.#answer<Reranking>(this.configuration.reranking(), 300);
  usage = () => this.#answer<Usage>(this.evidence.usage(this.library));
  examine = () => this.#answer<Finding[]>(this.configuration.findings(), 700);

  dataFolder = () =>
    this.#answer<DataFolder>({
      path: "/home/ada/.local/share/deepsearch",
      store_bytes: 48_300_000,
      backups_bytes: 193_000_000,
    });
  listFolders = () => this.#answer(this.folders.list());
  addFolder = () => this.#answer(this.folders.add());
  removeFolder = (path: string) => this.#answer(this.folders.remove(path));
  pauseFolders = (paused: boolean) => this.#answer(this.folders.pause(paused));

  async addDroppedFolders(): Promise<FolderList> {
    this.deeds.push({ what: "addDroppedFolders", about: this.folders.offered });
    return this.#answer(this.folders.addOffered());
  }

  folderProblems = (after: string, limit: number) => this.#answer(this.folders.problems(after, limit));
  chooseFiles = () => this.#answer<AttachedFile[]>([{ url: "files:00aa11bb/report.pdf", name: "report.pdf" }]);
  openFile = (url: string) => this.#do("openFile", url);

  /** As if files had been dropped on the window. */
  drop(...names: string[]): void {
    const files = names.map((name, at) => ({ url: `files:${at}/${encodeURIComponent(name)}`, name }));
    for (const listener of this.#onDropped) listener(files);
  }

  /** As if folders had been dropped on the window. */
  dropFolders(...paths: string[]): void {
    const folders = this.folders.offer(paths);
    for (const listener of this.#onFolders) listener(folders);
  }

  openDataFolder = () => this.#do("openDataFolder");
  listBackups = () => this.#answer<Backup[]>([...this.#madeBackups, ...this.configuration.backups()]);

  async createBackup(): Promise<Backup> {
    const made: Backup = {
      path: `/home/ada/.local/share/deepsearch/backups/${this.#madeBackups.length + 1}-manual.sqlite`,
      kind: "manual",
      created_at: this.library.now(),
      bytes: 48_300_000,
    };
    this.#madeBackups.unshift(made);
    return this.#answer(made, 400);
  }

  restoreBackup = (name: string) => this.#do("restoreBackup", name);

  chooseArchive = () => this.#answer<AttachedFile | null>(this.carry.chosen);
  previewImport = (file: string, onProgress: (progress: ImportProgress) => void) =>
    this.carry.read(file, false, () => this.#answer(undefined, 60), onProgress);

  async importChats(file: string, onProgress: (progress: ImportProgress) => void): Promise<ImportReport> {
    this.deeds.push({ what: "importChats", about: file });
    return this.carry.read(file, true, () => this.#answer(undefined, 60), onProgress);
  }

  async exportChats(
    choice: ExportChoice,
    format: ExportFormat,
    onProgress: (progress: ExportProgress) => void,
  ): Promise<Exported | null> {
    this.deeds.push({ what: "exportChats", about: { choice, format } });
    const found = this.sorted.chosen(choice);
    if (found.chats === 0) throw failures.nothingIn;
    return this.carry.write(found, format, () => this.#answer(undefined, 60), onProgress);
  }

  async stopCarrying(): Promise<void> {
    this.carry.stop();
  }

  showExported = () => this.#do("showExported");

  async listTables(): Promise<TableSummary[]> {
    return this.#inDatabase((database) => database.tables());
  }

  async listRows(table: Table, after: RowKey | null, limit: number): Promise<TableRows> {
    return this.#inDatabase((database) => database.rows(table, after, limit));
  }

  async searchStatistics(days: number, most: number): Promise<SearchStatistics> {
    return this.#inDatabase((database) => database.statistics(days, most));
  }

  async listSessions(after: SessionCursor | null, limit: number): Promise<SessionPage> {
    return this.#inDatabase((database) => database.sessions(after, limit));
  }

  async endSession(id: string): Promise<void> {
    await this.#inDatabase((database) => database.endSession(id));
  }

  accountState = () => this.#answer<AccountState>(this.account.state());

  async lookAtGateway(): Promise<GatewayInfo> {
    await this.#answer(null, 300);
    return this.account.gateway();
  }

  async startSignIn(way: Way, provider: string | null): Promise<SignInStep> {
    await this.#do("startSignIn", { way, provider });
    return this.account.begin(way);
  }

  openSignIn = () => this.#do("openSignIn");

  async cancelSignIn(): Promise<void> {
    await this.#do("cancelSignIn");
    this.account.cancel();
  }

  recallSession = () => this.#answer(this.account.recall());
  lookupAccount = () => this.#answer<Account>(this.account.account(), 300);

  async revokeDevice(device: string): Promise<void> {
    await this.#do("revokeDevice", device);
    this.account.revoke(device);
  }

  async signOut(removeLocalCopy: boolean, discard: boolean): Promise<Leaving> {
    await this.#do("signOut", { removeLocalCopy, discard });
    const { outbox, offers } = this.sync.status().counts;
    if (removeLocalCopy && !discard && outbox + offers > 0) return { outcome: "held", changes: outbox, chats: offers };
    this.account.signOut();
    return { outcome: "signed_out", told_gateway: this.#online };
  }

  async signOutEverywhere(): Promise<void> {
    await this.#do("signOutEverywhere");
    this.account.signOut();
  }

  exportAccount = () => this.#answer<string | null>("/home/ada/Documents/deepsearch-account.json", 300);

  async deleteAccount(email: string): Promise<void> {
    await this.#do("deleteAccount", email);
    this.account.signOut();
  }

  syncStatus = () => this.#answer<SyncStatus>(this.sync.status());
  syncNow = () => this.#answer<SyncStatus>(this.sync.status(), 300);
  listConflicts = () => this.#answer<SyncConflict[]>(this.sync.conflicts());

  async forgetConflict(id: number): Promise<void> {
    await this.#do("forgetConflict", id);
    this.sync.forget(id);
  }

  async decideChatOffers(accept: boolean): Promise<number> {
    await this.#do("decideChatOffers", accept);
    return this.sync.decide();
  }

  onSyncChanged = (listener: () => void) => listen(this.sync.listeners, listener);
  onAccountChanged = (listener: () => void) => listen(this.account.listeners, listener);

  async shortcut(): Promise<Shortcut> {
    return this.#answer(this.#shortcut(this.options.scenario === "taken"));
  }

  #shortcut(taken: boolean): Shortcut {
    const keys = String(this.configuration.value("shortcut.quick_ask"));
    const problem = taken
      ? { code: "refused" as const, message: "Another program uses these keys.", hint: "Choose others." }
      : null;
    return { keys, given: null, active: keys !== "" && !taken, problem };
  }

  async updateShortcut(keys: string): Promise<Shortcut> {
    this.configuration.update("shortcut.quick_ask", keys);
    // One combination that another program holds, so that the conflict can be seen.
    return this.#answer(this.#shortcut(keys.endsWith("+Space") && keys.startsWith("Alt")));
  }

  startsAtLogin = () => this.#answer(this.#startsAtLogin);

  async updateStartsAtLogin(on: boolean): Promise<void> {
    this.#startsAtLogin = on;
  }

  newWindow = (chat: ChatId | null) => this.#do("newWindow", chat);
  showQuickAsk = () => this.#do("showQuickAsk");
  hideQuickAsk = () => this.#do("hideQuickAsk");
  fitQuickAsk = (height: number) => this.#do("fitQuickAsk", height);
  carryOn = (chat: ChatId) => this.#do("carryOn", chat);
  closeWindow = () => this.#do("closeWindow");

  onLibraryChanged = (listener: (changed: LibraryChanged) => void) => listen(this.#onLibrary, listener);
  onSettingsChanged = (listener: (changed: SettingsChanged) => void) => listen(this.#onSettings, listener);
  onFilesDropped = (listener: (files: AttachedFile[]) => void) => listen(this.#onDropped, listener);
  onFoldersDropped = (listener: (folders: OfferedFolder[]) => void) => listen(this.#onFolders, listener);
  /** Where it was asked to go before it listened. */
  navigatedEarly: Navigate | null = null;
  arrive = () => this.#answer(this.navigatedEarly);
  onNavigate = (listener: (navigate: Navigate) => void) => listen(this.#onNavigate, listener);
  onQuickAskShown = (listener: () => void) => listen(this.#onShown, listener);

  onOnline(listener: (online: boolean) => void): void {
    this.#onOnline.add(listener);
    listener(this.#online);
  }

  /** What tests do to the window from outside. */
  goOnline(online: boolean): void {
    this.#online = online;
    for (const listener of this.#onOnline) listener(online);
  }

  tellNavigate(navigate: Navigate): void {
    for (const listener of this.#onNavigate) listener(navigate);
  }

  tellQuickAskShown(): void {
    for (const listener of this.#onShown) listener();
  }

  #begin(request: AskRequest): FakeRun {
    const continued = typeof request.turn === "object" ? request.turn.continuing : undefined;
    const known = continued ? (this.#researches.get(continued) ?? null) : null;
    const run = new FakeRun(this.library, this.options, request, known);
    this.#runs.set(run.answer_id, run);
    if (run.research) this.#researches.set(run.answer_id, run.research);
    this.#changed(run.chat_id);
    void run.play().finally(() => {
      this.#runs.delete(run.answer_id);
      this.#changed(run.chat_id);
    });
    return run;
  }

  async #change(id: ChatId, change: Partial<Chat>): Promise<Chat> {
    await this.#reach();
    const chat = this.library.updateChat(id, change);
    this.#changed(id);
    return chat;
  }

  /** What reads the library fails where the scenario says that it cannot be read. */
  async #reach(): Promise<void> {
    await this.#answer(null);
    if (this.options.scenario === "error") throw failures.storage;
  }

  async #inDatabase<Value>(look: (database: FakeDatabase) => Value): Promise<Value> {
    await this.#answer(null, 200);
    return look(this.database);
  }

  async #do(what: string, about: unknown = null): Promise<void> {
    this.deeds.push({ what, about });
    await this.#answer(null);
  }

  async #answer<Value>(value: Value, ms = 0): Promise<Value> {
    const wait = this.options.latency + (this.options.speed === 0 ? 0 : ms);
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    return value;
  }

  #changed(...chats: ChatId[]): void {
    for (const listener of this.#onLibrary) listener({ chats });
  }
}

async function listen<Listener>(listeners: Set<Listener>, listener: Listener): Promise<() => void> {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
