"""JavaScript with Node.js and React, Python, and Lua: interpreters, standard libraries, and what has no name of its own.

Sources: https://nodejs.org/api/, https://react.dev, https://docs.python.org/3/library/, https://www.lua.org/manual/."""

from syncd.core.titles.families import Family

SCRIPTS = Family(
    irrelevant=(
        "/^(?:\\(?<?anonymous>?(?: function)?\\)?|<lambda>|<module>|<genexpr>|<listcomp>|<dictcomp>|<setcomp>|<eval>|<string>|eval|eval code|global code|module code|Anonymous function|\\[native code\\]|\\?|native|\\(program\\)|<computed>|Object\\.<anonymous>|<unknown>)$/",
        "EventEmitter.<anonymous>", "/^\\w+\\.<anonymous>$/", "/^\\w+\\.<computed>$/", "eval at *", "/^(?:wasm-function|func)\\[\\d+\\]$/",
        "invariant", "/^(?:Object\\.|Function\\.)?(?:invariant|assert|fail|ok|captureStackTrace|throwError|_throw|throwException)$/", "console.*",
        "Error.captureStackTrace", "handleError", "reportError",
        "/(?:^|\\.)(?:_typeError|classCallCheck|_classCallCheck|_defineProperty|asyncGeneratorStep|_asyncToGenerator|tryCatch|__awaiter|fulfilled|rejected|step|_next|_throw|__generator|regeneratorRuntime\\w*|_regenerator\\w*|__webpack_require__|webpackJsonp\\w*|__spreadArray)$/",
        "exec_", "error", "assert", "xpcall", "pcall",
    ),
    prefix=(
        "/^(?:async )?(?:Array|String|Object|Function|Promise|JSON|Map|Set|WeakMap|Reflect|Proxy|Number|RegExp|Date|Symbol|Iterator|Generator|AsyncFunction|Uint8Array|ArrayBuffer|TypedArray|Buffer|Atomics|Math)\\.(?:prototype\\.)?\\w+$/",
        "/^(?:forEach|map|filter|reduce|some|every|find|findIndex|sort|flatMap|apply|call|bind|then|parse|stringify)$/", "new Promise*",
        "EventEmitter.emit*", "emit[A-Z]*", "emit", "Emitter.emit", "Promise.then*", "promiseReactionJob", "processTicksAndRejections", "process.*",
        "Module.*", "node:*", "runMicrotasks*", "listOnTimeout", "processTimers", "/^(?:Timeout|Immediate)\\._onTimeout$/", "Function.execute*",
        "Function.Module*", "require", "Function.process*", "next_tick", "_tickCallback", "drainQueue",
        # Python's standard library by its functions' names, where nothing else is said
        "/^(?:raw_decode|scan_once|run_until_complete|run_forever|_?run_once|_?bootstrap(?:_inner)?|_call_with_frames_removed|exec_module|_find_and_load\\w*|_handle_fromlist|_load_unlocked|import_module|_gcd_import|get_code|_run_code|_run_module_as_main|run_module|runpy|check_call|check_output|_execute_child|urlopen|_open|_call_chain|http_open|https_open|do_open|getresponse|_read_status|_send_output|_step|_wakeup|run_in_executor|wait_for|ensure_future)$/",
    ),
    library=(
        "renderWithHooks*",
        "/^(?:commit|perform|begin|complete|update|mount|reconcile|render|finish|flush|schedule|workLoop|batched|dispatch|invoke|unstable_|recursivelyTraverse)(?:Root|Work|Unit\\w*|Effects?\\w*|Layout\\w*|Passive\\w*|Mutation\\w*|Class\\w*|Function\\w*|Fiber\\w*|Child\\w*|Host\\w*|Memo\\w*|Sync\\w*|Concurrent\\w*|Indeterminate\\w*|Updates\\w*|Guarded\\w*|RootSync|RootImpl|Discrete\\w*|Deletion\\w*)[\\w$]*$/",
        "beginWork*", "workLoop*", "callCallback*", "Object.use[A-Z]*", "/^(?:React|ReactDOM)\\./", "mountMemo", "useMemo", "useCallback",
        "useEffect", "executeDispatch*", "processDispatchQueue*", "Zone*", "ZoneDelegate*", "ZoneTask*", "drainMicroTaskQueue",
        "/^(?:Vue|VueComponent|Watcher|Dep|Vue3)\\./", "callWithErrorHandling", "callWithAsyncErrorHandling", "/^\\$?(?:digest|apply)$/", "jQuery.*", "/^(?:lists|maps|erlang|ets|gen|gen_server|gen_statem|proc_lib|proplists|binary|io_lib):\\w/", "PDO->*",
        "HTMLDocument.dispatch", "dispatchEvent", "XMLHttpRequest.*", "Layer.handle*",
        "/^(?:next|Route\\.dispatch|router\\.\\w+|Function\\.handle)$/",
    ),
    places=(
        "node:internal", "node_modules", "dart:", "package:flutter/", "internal/", "electron/js2c", "events.js", "net.js", "fs.js", "_stream_", "timers.js", "module.js",
        "react-dom", "react.development", "react.production", "scheduler.development", "scheduler.production", "<anonymous>)", "(native)",
        "native code", "webpack/bootstrap", "webpack:///./node_modules", "zone.js", "jquery",
        "/lib/python", "/python3.", "\\python\\python3", "\\lib\\asyncio\\", "\\lib\\json\\", "\\lib\\threading", "site-packages", "dist-packages",
        "<frozen", "boot.lua", "callbacks.lua", "[c]",
    ),
)  # fmt: skip
