"""Windows: the system's libraries, the C run-time library of Visual C++, structured exceptions.

Sources: https://learn.microsoft.com/windows/win32/api/ and https://learn.microsoft.com/cpp/c-runtime-library/."""

from syncd.core.titles.families import Family

WINDOWS = Family(
    irrelevant=(
        "RaiseException", "RaiseFailFastException", "NtRaise*", "ZwRaise*", "RtlRaise*", "RtlDispatchException", "RtlpDispatch*", "RtlFailFast*",
        "RtlReport*Failure*", "RtlpReportHeap*", "RtlUnwind*", "RtlVirtualUnwind*", "RtlpExecuteHandler*",
        "KiUser*", "KiRaise*", "CxxThrowException*", "CxxFrameHandler*", "CxxCallCatch*", "FrameHandler*", "CatchGuard*", "BuildCatchObject*",
        "CallSettingFrame*", "CallCatchBlock*", "InternalCxxFrameHandler*", "C_specific_handler*", "CxxUnhandledException*", "except_handler*",
        "global_unwind*", "EH_*",
        "*UnhandledException*", "invoke_watson", "invalid_parameter*", "invalid_parameter_internal", "purecall", "wassert", "CrtDbgReport*",
        "CrtDbgBreak", "VCrtDbgReport*", "common_assert_to_*", "common_assert", "NMSG_WRITE", "amsg_exit", "report_gsfailure",
        "report_rangecheckfailure*", "report_securityfailure*", "GSHandlerCheck*", "fastfail", "security_check_cookie",
        "terminate", "common_exit", "DebugBreak*", "debugbreak", "DbgBreakPoint", "DbgUserBreakPoint", "DbgUiRemoteBreakin", "TerminateProcess*",
        "NtTerminateProcess", "ZwTerminateProcess", "ExitProcess*", "RtlExitUserProcess", "FatalExit*", "FatalAppExit*",
        "TerminateProcessImplementation",
        "BaseThreadInitThunk*", "BaseThreadStart*", "BaseProcessStart*", "RtlUserThreadStart*", "RtlInitializeExceptionChain*",
        "RtlGetAppContainerNamedObjectPath", "*CRTStartup", "scrt_common_main*", "invoke_main", "*beginthread*", "endthread*", "thread_start*",
        "threadstart*", "callthreadstart*", "tmainCRTStartup", "call_thread_func*", "LdrInitializeThunk", "LdrShutdownProcess",
        "RtlpExceptionHandler*",
        "MiniDumpWriteDump", "WerpReportFault*", "WerReportSQMEvent", "BasepReportFault*", "StackWalk*", "SymFromAddr", "RtlCaptureStackBackTrace",
        "RtlWow64*", "Wow64*", "AreFileApisANSI", "asan_set_seh_filter", "TppWorkerThread*", "TppCallback*", "TppAlpc*", "TppWork*", "TppExecute*",
        "RtlpTp*", "seh_filter_exe", "XcptFilter", "exception_filter*",
        # waiting
        "NtWait*", "ZwWait*", "WaitFor*Object*", "NtDelayExecution", "ZwDelayExecution", "Sleep", "SleepEx", "SleepConditionVariable*", "RtlSleep*",
        "RtlpWait*", "RtlWait*", "WaitOnAddress*", "WaitForAlertByThreadId", "RtlpEnterCriticalSection*", "RtlEnterCriticalSection*",
        "EnterCriticalSection", "RtlLeaveCriticalSection*", "RtlAcquireSRW*", "RtlReleaseSRW*", "RtlpUnWait*",
        "NtUserGetMessage*", "NtUserMsgWait*", "NtUserPeekMessage*", "MsgWaitFor*", "RealMsgWait*", "NtRemoveIoCompletion*",
        "GetQueuedCompletionStatus*", "NtRead*", "NtWrite*", "NtDeviceIoControlFile", "Cnd_*", "Mtx_*", "Thrd_*", "do_wait", "mtx_do_lock*",
        "std::_Throw_C*", "NtAlpcSend*", "ZwUserGetMessage", "GetMessage[AW]", "PeekMessage[AW]",
    ),
    prefix=(
        "Rtlp*Heap*", "Rtl*Heap*", "RtlpAllocate*", "RtlpFree*", "RtlpLowFrag*", "RtlpCoalesce*", "RtlpHp*", "RtlpInsertFreeBlock*", "RtlDebug*",
        "HeapAlloc*", "HeapFree*", "HeapReAlloc*", "LocalFree", "GlobalFree", "free_base*", "free_dbg*", "malloc_base*", "malloc_dbg*",
        "calloc_base*", "realloc_base*", "heap_alloc*", "nh_malloc*", "callnewh", "free_locked*", "recalloc*",
        "memcpy_*", "memset_*", "RtlMoveMemory", "RtlCopyMemory", "RtlCopyUnicodeString", "RtlInitUnicodeString", "std_find_*", "std_minmax_*",
        "alloca_probe*", "chkstk", "guard_*", "load_config_*", "VEC_memcpy*", "dyn_tls_*", "output_*", "stdio_common_*", "wcsnicmp*", "stricmp*",
        "mbs*",
    ),
    loops=(
        "DispatchMessage*", "DispatchMessageWorker", "UserCallWinProc*", "CallWindowProc*", "SendMessage*", "InternalCallWinProc", "DialogBox*",
        "DispatchClientMessage*", "fnDWORD", "IsDialogMessage*",
    ),
    plumbing=("ntdll*", "kernelbase*", "kernel32*", "ucrtbase*", "msvcrt*", "msvcp*", "vcruntime*", "api-ms-win-*", "wow64*", "concrt*", "verifier*"),
    modules=(
        "user32*", "win32u*", "gdi32*", "gdiplus*", "combase*", "ole32*", "oleaut32*", "rpcrt4*", "shell32*", "shlwapi*", "comctl32*", "comdlg32*",
        "advapi32*", "sechost*", "ws2_32*", "mswsock*", "crypt32*", "bcrypt*", "d3d*", "dxgi*", "dxcore*", "dwrite*", "d2d1*", "dcomp*",
        "nv[wo]*", "nvcuda*", "nvapi*", "ati*", "amd*", "aticfx*", "ig[0-9xdc]*", "opengl32*", "vulkan-1*", "xinput*", "dinput*", "dsound*",
        "xaudio*", "audioses*", "mmdevapi*", "mf*", "winmm*", "winhttp*", "wininet*", "urlmon*", "mshtml*", "jscript*", "windows.*",
        "uiautomationcore*", "msctf*", "coremessaging*", "textinputframework*",
        "clr", "clr.dll", "coreclr*", "clrjit*", "mscorlib*", "mscorwks*", "mono-2.0*", "mono", "imm32*", "uxtheme*", "dwmapi*", "setupapi*",
        "cfgmgr32*", "dbghelp*", "wer*", "version", "hid", "iphlpapi*",
    ),
)  # fmt: skip
