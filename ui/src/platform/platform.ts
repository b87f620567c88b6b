// What the interface needs of the world outside the window. Two implementations: Tauri, and a fake for tests and design.

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
  Collection,
  CollectionId,
  DataFolder,
  EngineEvent,
  EngineId,
  EngineStatus,
  EngineTrial,
  Every,
  Exported,
  ExportProgress,
  Finding,
  FolderList,
  FolderProblem,
  ExportChoice,
  ExportFormat,
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
  SavedSearch,
  SavedSearchId,
  ScheduledRecheck,
  SearchStatistics,
  SessionCursor,
  SessionPage,
  SettingsChanged,
  SettingValue,
  Shortcut,
  ShownPicture,
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

type Unlisten = () => void;

/** Every method rejects with a `Failure`. */
export interface Platform {
  /** Which window this is. */
  readonly window: WindowKind;
  /** What the shell knew before the first paint. */
  readonly start: Start;
  info(): Promise<AppInfo>;

  /** Resolves when the answer has ended, well or not. Events come in batches, one per frame at most. */
  ask(request: AskRequest, onEvents: (events: AnswerEvent[]) => void): Promise<void>;
  /** Everything so far (tokens merged), then what comes. `false` when the answer is not being written. */
  watchAnswer(answer: MessageId, onEvents: (events: AnswerEvent[]) => void): Promise<boolean>;
  stopAnswer(answer: MessageId): Promise<boolean>;
  runningAnswers(): Promise<RunningAnswer[]>;
  /** `null` where the answer is no research. */
  findResearch(answer: MessageId): Promise<ResearchProgress | null>;
  /** Takes effect after the step that it is at; what is given back is the plan as it will be. */
  editPlan(answer: MessageId, edit: PlanEdit): Promise<ResearchProgress>;

  /** Checks an old answer again, or joins the check under way. Resolves when it has ended, well or not: what came of it is
      listed. Rejects only where none was begun. */
  recheckAnswer(answer: MessageId, onEvents: (events: AnswerEvent[]) => void): Promise<void>;
  /** `false` when none is under way. */
  watchRecheck(answer: MessageId, onEvents: (events: AnswerEvent[]) => void): Promise<boolean>;
  stopRecheck(answer: MessageId): Promise<boolean>;
  listRechecks(answer: MessageId): Promise<RecheckHistory>;
  recheckLedger(answer: MessageId, checkedAt: string): Promise<AnswerLedger | null>;
  /** `null` is not at all. */
  scheduleRecheck(answer: MessageId, every: Every | null): Promise<RecheckSchedule | null>;
  /** The answers that are checked again by themselves, the next one first. */
  scheduledRechecks(): Promise<ScheduledRecheck[]>;

  listChats(view: ChatView, after: ChatCursor | null, limit: number): Promise<Chat[]>;
  openChat(chat: ChatId, before: MessageId | null, limit: number): Promise<OpenChat>;
  openMessage(message: MessageId): Promise<OpenMessage>;
  /** What an answer sent to whom; `null` where nobody wrote it down. */
  answerLedger(message: MessageId): Promise<AnswerLedger | null>;
  /** Makes the branch that holds this message the shown one; the shown branch stays where it holds it already. */
  showBranch(message: MessageId): Promise<void>;
  renameChat(chat: ChatId, title: string): Promise<Chat>;
  pinChat(chat: ChatId, pinned: boolean): Promise<Chat>;
  archiveChat(chat: ChatId, archived: boolean): Promise<Chat>;
  /** To Trash. */
  deleteChat(chat: ChatId): Promise<Chat>;
  restoreChat(chat: ChatId): Promise<Chat>;
  deleteChatForever(chat: ChatId): Promise<void>;
  emptyTrash(): Promise<number>;
  searchHistory(query: HistoryQuery): Promise<HistoryResults>;

  /** Collections, tags and saved searches. */
  sorting(): Promise<Sorting>;
  /** The chats of a collection, or with a tag. */
  listSortedChats(filter: ChatFilter, after: ChatCursor | null, limit: number): Promise<Chat[]>;
  /** How these chats are sorted, 500 at most; those that are not are left out. */
  listLabels(chats: ChatId[]): Promise<ChatLabels[]>;
  addCollection(name: string): Promise<Collection>;
  renameCollection(collection: CollectionId, name: string): Promise<void>;
  /** At a place of the list, which counts from 0. */
  orderCollection(collection: CollectionId, place: number): Promise<void>;
  /** Its chats stay. */
  deleteCollection(collection: CollectionId): Promise<void>;
  /** One change to at most a thousand chats, all of it or nothing; what is given back undoes it. */
  changeChats(chats: ChatId[], change: BulkChange): Promise<BulkDone>;
  undoChange(undo: Before[]): Promise<BulkDone>;
  /** In place of the search that had this name. */
  saveSearch(name: string, query: SavedQuery): Promise<SavedSearch>;
  deleteSavedSearch(search: SavedSearchId): Promise<void>;

  /** What the engines in use find, without an answer. */
  searchWeb(text: string): Promise<WebResults>;

  openPage(page: PageId): Promise<Page>;
  /** A page of the web as it reads now; nothing is saved. */
  readPage(url: string): Promise<Page>;
  /** A site's icon as a `data:` address, from our own guarded fetch and cache; `null` where there is none. */
  favicon(pageUrl: string): Promise<string | null>;
  /** Copies of what an answer's sources show themselves with; waits for those on their way. */
  answerPictures(message: MessageId): Promise<ShownPicture[]>;
  /** Opens a web address in the browser; anything but http and https is refused in Rust. */
  openLink(url: string): Promise<void>;
  copyText(text: string): Promise<void>;

  listFolders(): Promise<FolderList>;
  /** Asks which folder; `null` when it was called off. */
  addFolder(): Promise<FolderList | null>;
  removeFolder(path: string): Promise<FolderList>;
  pauseFolders(paused: boolean): Promise<FolderList>;
  /** Adds the folders that were dropped on this window last. */
  addDroppedFolders(): Promise<FolderList>;
  /** Files that could not be read, by path, after one. */
  folderProblems(after: string, limit: number): Promise<FolderProblem[]>;
  /** Asks which files a question is to rest on; none when it was called off. */
  chooseFiles(): Promise<AttachedFile[]>;
  /** Opens the file that a page was read from; a program is only shown where it lies. */
  openFile(url: string): Promise<void>;

  listSettings(): Promise<SettingValue[]>;
  /** `null` puts it back to its default. Values are text, as on the command line; lists are comma-separated. */
  updateSetting(key: string, text: string | null): Promise<SettingValue>;
  listEngines(): Promise<EngineStatus[]>;
  /** Asks every engine in use one harmless question. */
  tryEngines(): Promise<EngineTrial[]>;
  /** When engines were asked, the newest first: one of them, or all. */
  engineHistory(engine: EngineId | null, limit: number): Promise<EngineEvent[]>;
  listModels(): Promise<ModelInfo[]>;
  defaultModel(): Promise<ModelInfo>;
  listProviders(): Promise<ProviderStatus[]>;
  /** Which embedding model puts passages in order; tries whether it works. */
  reranking(): Promise<Reranking>;
  /** What models were used for, by month and by chat. */
  usage(): Promise<Usage>;
  examine(): Promise<Finding[]>;

  dataFolder(): Promise<DataFolder>;
  openDataFolder(): Promise<void>;
  listBackups(): Promise<Backup[]>;
  createBackup(): Promise<Backup>;
  /** The app starts again with it. */
  restoreBackup(name: string): Promise<void>;

  /** Asks which archive; `null` when it was called off. */
  chooseArchive(): Promise<AttachedFile | null>;
  /** What an archive holds, and what of it is here already; nothing is written. */
  previewImport(file: string, onProgress: (progress: ImportProgress) => void): Promise<ImportReport>;
  /** Stopped, it reports what came until then. */
  importChats(file: string, onProgress: (progress: ImportProgress) => void): Promise<ImportReport>;
  /** Asks where to, and writes chats there; `null` when it was called off or stopped. */
  exportChats(
    choice: ExportChoice,
    format: ExportFormat,
    onProgress: (progress: ExportProgress) => void,
  ): Promise<Exported | null>;
  /** Stops the import or export of this window. */
  stopCarrying(): Promise<void>;
  /** Shows this window's last export where it lies. */
  showExported(): Promise<void>;

  /** The team's database, for whoever looks after it. Fails with `invalid` where none is set up. */
  listTables(): Promise<TableSummary[]>;
  listRows(table: Table, after: RowKey | null, limit: number): Promise<TableRows>;
  searchStatistics(days: number, most: number): Promise<SearchStatistics>;
  listSessions(after: SessionCursor | null, limit: number): Promise<SessionPage>;
  endSession(id: string): Promise<void>;
  /** How the account stands on this device; told without a network. */
  accountState(): Promise<AccountState>;
  /** What the gateway that is set says of itself. */
  lookAtGateway(): Promise<GatewayInfo>;
  /** Opens the browser, unless the way is a code. The answer is told by `onAccountChanged`. */
  startSignIn(way: Way, provider: string | null): Promise<SignInStep>;
  /** Opens the browser once more for the sign-in that is under way. */
  openSignIn(): Promise<void>;
  cancelSignIn(): Promise<void>;
  /** Looks once more for a session whose keychain was locked. */
  recallSession(): Promise<AccountState>;
  /** With its devices, this one first. */
  lookupAccount(): Promise<Account>;
  revokeDevice(device: string): Promise<void>;
  /** Where the local copy is removed, the app starts again. */
  signOut(removeLocalCopy: boolean, discard: boolean): Promise<Leaving>;
  signOutEverywhere(): Promise<void>;
  /** Asks where to; the path, or `null` when it was called off. */
  exportAccount(): Promise<string | null>;
  deleteAccount(email: string): Promise<void>;

  /** How sync stands; `onSyncChanged` tells when it is another. */
  syncStatus(): Promise<SyncStatus>;
  syncNow(): Promise<SyncStatus>;
  listConflicts(): Promise<SyncConflict[]>;
  forgetConflict(id: number): Promise<void>;
  /** Hands over all chats from before the sign-in, or keeps all of them here; says how many. */
  decideChatOffers(accept: boolean): Promise<number>;

  shortcut(): Promise<Shortcut>;
  updateShortcut(keys: string): Promise<Shortcut>;
  startsAtLogin(): Promise<boolean>;
  updateStartsAtLogin(on: boolean): Promise<void>;

  newWindow(chat: ChatId | null): Promise<void>;
  showQuickAsk(): Promise<void>;
  hideQuickAsk(): Promise<void>;
  /** From quick ask: as tall as what it shows, in logical pixels; 76 to 640. */
  fitQuickAsk(height: number): Promise<void>;
  /** From quick ask: shows the chat in the main window and hides this one. */
  carryOn(chat: ChatId): Promise<void>;
  closeWindow(): Promise<void>;

  onLibraryChanged(listener: (changed: LibraryChanged) => void): Promise<Unlisten>;
  onSyncChanged(listener: () => void): Promise<Unlisten>;
  /** Who is signed in, or how far signing in is, is another now. */
  onAccountChanged(listener: () => void): Promise<Unlisten>;
  onSettingsChanged(listener: (changed: SettingsChanged) => void): Promise<Unlisten>;
  onFilesDropped(listener: (files: AttachedFile[]) => void): Promise<Unlisten>;
  /** Nothing is done with them before `addDroppedFolders`. */
  onFoldersDropped(listener: (folders: OfferedFolder[]) => void): Promise<Unlisten>;
  onNavigate(listener: (navigate: Navigate) => void): Promise<Unlisten>;
  /** Said once it listens; gives where the window was asked to go while it came up. */
  arrive(): Promise<Navigate | null>;
  /** Quick ask was brought to the front: focus the field. */
  onQuickAskShown(listener: () => void): Promise<Unlisten>;

  /** Whether the system says there is a network; told again when it changes. */
  onOnline(listener: (online: boolean) => void): void;
}
