// The real world: every call is a command of the desktop shell.

import { Channel } from "@tauri-apps/api/core";
import { commands, events, type AnswerEvent, type Failure, type Start } from "../bindings/bindings";
import { ownWindow } from "./own-window";
import type { Platform } from "./platform";

declare global {
  interface Window {
    /** Set by the shell before the first paint. */
    readonly __START__?: Start;
  }
}

export function tauriPlatform(start: Start): Platform {
  const own = ownWindow();
  return {
    window: start.window,
    start,
    info: told(commands.info),
    arrive: told(commands.arrive),

    ask: (request, onEvents) =>
      new Promise((resolve, reject) => {
        // The command answers when the answer has begun; no events at all say that it is over.
        const tell = (events: AnswerEvent[]) => (events.length ? onEvents(events) : resolve());
        told(commands.ask)(request, channel(tell)).catch(reject);
      }),
    watchAnswer: (answer, onEvents) => told(commands.watchAnswer)(answer, channel(onEvents)),
    stopAnswer: told(commands.stopAnswer),
    runningAnswers: told(commands.runningAnswers),
    findResearch: told(commands.findResearch),
    editPlan: told(commands.editPlan),

    recheckAnswer: (answer, onEvents) =>
      new Promise((resolve, reject) => {
        const tell = (events: AnswerEvent[]) => (events.length ? onEvents(events) : resolve());
        told(commands.recheckAnswer)(answer, channel(tell)).catch(reject);
      }),
    watchRecheck: (answer, onEvents) => told(commands.watchRecheck)(answer, channel(onEvents)),
    stopRecheck: told(commands.stopRecheck),
    listRechecks: told(commands.listRechecks),
    recheckLedger: told(commands.recheckLedger),
    scheduleRecheck: told(commands.scheduleRecheck),
    scheduledRechecks: told(commands.scheduledRechecks),

    listChats: told(commands.listChats),
    openChat: told(commands.openChat),
    openMessage: told(commands.openMessage),
    answerLedger: told(commands.answerLedger),
    showBranch: done(commands.showBranch),
    renameChat: told(commands.renameChat),
    pinChat: told(commands.pinChat),
    archiveChat: told(commands.archiveChat),
    deleteChat: told(commands.deleteChat),
    restoreChat: told(commands.restoreChat),
    deleteChatForever: done(commands.deleteChatForever),
    emptyTrash: told(commands.emptyTrash),
    searchHistory: told(commands.searchHistory),

    sorting: told(commands.sorting),
    listSortedChats: told(commands.listSortedChats),
    listLabels: told(commands.listLabels),
    addCollection: told(commands.addCollection),
    renameCollection: done(commands.renameCollection),
    orderCollection: done(commands.orderCollection),
    deleteCollection: done(commands.deleteCollection),
    changeChats: told(commands.changeChats),
    undoChange: told(commands.undoChange),
    saveSearch: told(commands.saveSearch),
    deleteSavedSearch: done(commands.deleteSavedSearch),

    searchWeb: told(commands.searchWeb),
    openPage: told(commands.openPage),
    readPage: told(commands.readPage),
    favicon: told(commands.favicon),
    answerPictures: told(commands.answerPictures),
    openLink: done(commands.openLink),
    copyText: done(commands.copyText),

    listFolders: told(commands.listFolders),
    addFolder: told(commands.addFolder),
    removeFolder: told(commands.removeFolder),
    pauseFolders: told(commands.pauseFolders),
    addDroppedFolders: told(commands.addDroppedFolders),
    folderProblems: told(commands.folderProblems),
    chooseFiles: told(commands.chooseFiles),
    openFile: done(commands.openFile),

    listSettings: told(commands.listSettings),
    updateSetting: told(commands.updateSetting),
    listEngines: told(commands.listEngines),
    tryEngines: told(commands.tryEngines),
    engineHistory: told(commands.engineHistory),
    listModels: told(commands.listModels),
    defaultModel: told(commands.defaultModel),
    listProviders: told(commands.listProviders),
    reranking: told(commands.reranking),
    usage: told(commands.usage),
    examine: told(commands.examine),

    dataFolder: told(commands.dataFolder),
    openDataFolder: done(commands.openDataFolder),
    listBackups: told(commands.listBackups),
    createBackup: told(commands.createBackup),
    restoreBackup: done(commands.restoreBackup),
    chooseArchive: told(commands.chooseArchive),
    previewImport: (file, onProgress) => told(commands.previewImport)(file, channel(onProgress)),
    importChats: (file, onProgress) => told(commands.importChats)(file, channel(onProgress)),
    exportChats: (choice, format, onProgress) => told(commands.exportChats)(choice, format, channel(onProgress)),
    stopCarrying: told(commands.stopCarrying),
    showExported: done(commands.showExported),

    listTables: told(commands.listTables),
    listRows: told(commands.listRows),
    searchStatistics: told(commands.searchStatistics),
    listSessions: told(commands.listSessions),
    endSession: done(commands.endSession),
    accountState: told(commands.accountState),
    lookAtGateway: told(commands.lookAtGateway),
    startSignIn: told(commands.startSignIn),
    openSignIn: done(commands.openSignIn),
    cancelSignIn: done(commands.cancelSignIn),
    recallSession: told(commands.recallSession),
    lookupAccount: told(commands.lookupAccount),
    revokeDevice: done(commands.revokeDevice),
    signOut: told(commands.signOut),
    signOutEverywhere: done(commands.signOutEverywhere),
    exportAccount: told(commands.exportAccount),
    deleteAccount: done(commands.deleteAccount),
    syncStatus: told(commands.syncStatus),
    syncNow: told(commands.syncNow),
    listConflicts: told(commands.listConflicts),
    forgetConflict: done(commands.forgetConflict),
    decideChatOffers: told(commands.decideChatOffers),

    shortcut: told(commands.shortcut),
    updateShortcut: told(commands.updateShortcut),
    startsAtLogin: told(commands.startsAtLogin),
    updateStartsAtLogin: done(commands.updateStartsAtLogin),

    newWindow: done(commands.newWindow),
    showQuickAsk: done(commands.showQuickAsk),
    hideQuickAsk: done(commands.hideQuickAsk),
    fitQuickAsk: done(commands.fitQuickAsk),
    carryOn: done(commands.carryOn),
    closeWindow: done(commands.closeWindow),

    onLibraryChanged: (listener) => events.libraryChanged.listen((event) => listener(event.payload)),
    onSyncChanged: (listener) => events.syncChanged.listen(() => listener()),
    onAccountChanged: (listener) => events.accountChanged.listen(() => listener()),
    onSettingsChanged: (listener) => events.settingsChanged.listen((event) => listener(event.payload)),
    onFilesDropped: (listener) => events.filesDropped(own).listen((event) => listener(event.payload.files)),
    onFoldersDropped: (listener) => events.foldersDropped(own).listen((event) => listener(event.payload.folders)),
    onNavigate: (listener) => events.navigate(own).listen((event) => listener(event.payload)),
    onQuickAskShown: (listener) => events.quickAskShown(own).listen(() => listener()),

    onOnline(listener) {
      const tell = () => listener(navigator.onLine);
      window.addEventListener("online", tell);
      window.addEventListener("offline", tell);
      tell();
    },
  };
}

function channel<Event>(onEvent: (event: Event) => void): Channel<Event> {
  const events = new Channel<Event>();
  events.onmessage = onEvent;
  return events;
}

/** Our commands reject with a `Failure`; what Tauri itself says, of a call it refuses, is a mere text. */
function told<A extends unknown[], T>(command: (...args: A) => Promise<T>): (...args: A) => Promise<T> {
  return async (...args) => {
    try {
      return await command(...args);
    } catch (error) {
      if (typeof error === "object" && error !== null && "code" in error) throw error;
      throw { code: "internal", message: String(error), hint: null } satisfies Failure;
    }
  };
}

/** As `told`, of a command that answers nothing. */
function done<A extends unknown[]>(command: (...args: A) => Promise<null>): (...args: A) => Promise<void> {
  return async (...args) => void (await told(command)(...args));
}
