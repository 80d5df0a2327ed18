"""C++: the standard library of each compiler, its run-time part, and libraries that many programs have in common.

Sources: the Itanium C++ ABI, https://itanium-cxx-abi.github.io/cxx-abi/, and the documentation of the libraries that are named."""

from syncd.core.titles.families import Family

CPP = Family(
    irrelevant=(
        "cxa_*", "gnu_cxx::*verbose_terminate*", "cxxabiv1::*", "std::terminate*", "std::*terminate*", "std::throw_*", "std::_throw*",
        "std::__throw*", "std::rethrow*", "std::_Xout*", "std::_X*", "std::*::_Xran*",
        "std::*::_Xlen*", "std::*::_Throw*", "std::*verbose_abort*", "std::*assert_fail*", "std::unexpected", "std::__unexpected", "std::abort",
        "std::*::__throw*", "std::get_new_handler",
        "default_terminate_handler*", "demangling_*terminate*", "demangling_unexpected*", "gxx_personality*", "Unwind_*", "unw_*", "libunwind::*",
        "terminate_handler*", "pure_virtual*", "glibcxx_assert*",
        "replacement_assert", "boost::assertion_failed*", "boost::throw_exception*", "boost::wrapexcept*", "boost::stacktrace::*",
        "folly::symbolizer::*", "google::LogMessage*", "google::logging_fail",
        "google::DumpStackTrace*", "google::FailureSignalHandler*", "google::*::DumpStackTrace*", "absl::*LogMessage*", "absl::*raw_logging*",
        "absl::*::FailureSignal*", "backward::*", "google_breakpad::*", "crashpad::*",
        "bugsnag_*", "sentry_*", "sentry__*", "backtrace::*", "spdlog::*", "glog::*", "fmt::*throw*", "fmt::*assert_fail*",
        # what programs call their own
        "/(?i)(?:^|[^a-z])(?:assert(?:ion)?_?(?:fail\\w*|handler|msg|message)|on_?assert\\w*|assert_?impl|do_?assert|report_?assert\\w*|fail_?assert\\w*)$/",
        "/(?:^|::)(?:AssertFail\\w*|AssertionFail\\w*|HandleAssert\\w*|ReportAssert\\w*|OnAssert\\w*|FatalError\\w*|fatal_error\\w*|LogFatal\\w*|SignalHandler|signal_handler|sig_handler|handle_?signal|segv_?handler|SegfaultHandler|crash_?handler|CrashHandler|UnhandledExceptionFilter|PrintStackTrace|print_stack_?trace|printStackTrace|DumpStack\\w*|dump_stack\\w*|CollectStackTrace|print_trace|backtrace|BacktraceHandler|sigabrt_action|StackTrace)$/",
        "/(?:^|::)(?:MOZ_Crash|mozalloc_\\w+|rust_oom|oom_hook|handle_oom|OutOfMemoryHandler|\\w*(?:Die|AndDie|AndCrash|ImmediateCrash|ForceCrash)|AbortProcess|Abort|CrashNow|TerminateProgram)$/",
        "/::LogMessage(?:Fatal|Base)?::~LogMessage\\w*$/", "/::(?:CheckFailed|CheckFail|check_failed)$/",
    ),
    prefix=(
        "std::*", "gnu_cxx::*", "stdext::*", "operator new*", "operator delete*", "/(?:^|::)operator(?:->\\*?|\\[\\]|\\*)$/",
        "/^(?:operator|void operator) ?(?:new|delete)/", "eastl::*", "boost::*ptr::*", "boost::optional*", "boost::function*",
        "boost::detail::*", "boost::shared_ptr*", "boost::*scoped*", "boost::_bi::*", "boost::any*", "boost::variant*",
        "/^(?:boost|absl|folly|WTF|mozilla|base|scoped_refptr)::(?:\\w+::)*(?:\\w*[Pp]tr|\\w*[Vv]ector|\\w*[Mm]ap|\\w*[Hh]ash\\w*|\\w*[Mm]utex\\w*|\\w*[Ll]ock\\w*|\\w*[Ff]unction\\w*|RefCounted\\w*)(?:::|$)/",
        "shared_ptr_emplace", "/^(?:make|allocate)_(?:shared|unique)$/",
        "/(?:^|::)(?:__?(?:invoke|construct|destroy|emplace|insert|erase|push|pop|append|destruct|deallocate|allocate|release|move|copy)_?\\w*)$/",
        "absl::container_internal::*", "absl::inlined_vector_internal::*",
        "/(?:^|::)\\w*(?:Mutex|SpinLock|CriticalSection|ScopedLock|LockGuard|RWLock|AutoLock)\\w*::(?:~?\\w*[Ll]ock\\w*|[Ee]nter|[Aa]cquire|[Rr]elease|[Ll]eave|~?\\w*Lock|~?\\w*Guard)$/",
        "/^(?:\\w+_)?(?:mutex|spin|cond|rwlock)_(?:lock|unlock|wait|try_?lock|signal)\\w*$/", "/(?:^|::)\\w*MutexImpl::\\w+$/",
        "/(?:^|::)(?:Ref|Intrusive|Scoped|Smart|Weak|Shared|Com|Auto|Unique|Retain)\\w*(?:Ptr|Pointer|Reference)(?:::\\w+)*::(?:~?\\w*(?:Ptr|Pointer|Reference)|operator.*|get|reset|release|Release|AddRef|assign\\w*)$/",
        "/(?:^|::)(?:RefPtr|nsCOMPtr|ComPtr|CComPtr|OwnPtr|RefCountedBase|nsTArray\\w*|nsTHashtable|PLDHashTable|nsTSubstring)::/",
        "scoped_refptr::*", "Concurrency::*", "concurrency::*", "winrt::*", "wil::*", "ATL::*",
    ),
    library=(
        "boost::*", "absl::*", "folly::*", "Eigen::*", "fmt::*", "nlohmann::*", "google::protobuf::*", "grpc::*", "grpc_core::*", "rapidjson::*",
        "asio::*", "tbb::*", "cereal::*", "sol::*", "pybind11::*", "re2::*", "Poco::*",
        "oneapi::*", "CryptoPP::*", "wxEvtHandler::*", "wxEventLoop*", "wxApp*", "CWnd::*", "CWinThread::*", "CWinApp::*", "SDL_*",
        "/^(?:gl|egl|vk|al|alc|X|XI|glX)[A-Z][a-z]\\w+$/", "ma_*", "lua_*", "luaL_*", "luaV_*", "luaD_*", "luaG_*", "luaT_*", "luaH_*", "lj_*",
        "luai_*",
        "xcb_*", "wl_*", "/^Fc[A-Z]\\w+$/", "libvlc_*", "vlc_*", "glfw*", "sf::*", "ImGui::*", "stbi_*", "physx::*", "FMOD*", "AK::*", "bgfx::*", "curl_*", "Curl_*", "SSL_*", "EVP_*", "CRYPTO_*", "OPENSSL_*", "PyObject_*", "PyEval_*", "Py_*", "PyRun_*", "av_*",
        "avcodec_*", "FT_*", "hb_*", "png_*", "jpeg_*", "uv_*", "uv__*", "libusb_*", "snd_*", "pa_*",
    ),
    loops=(
        "SDL_main", "uv_run", "glutMainLoop*", "wxEventLoopBase::Run", "CWinThread::Run", "AfxWinMain", "CWinThread::PumpMessage",
        "AfxInternalPumpMessage",
    ),
    headers=(
        "/include/c++/", "stl_vector.h", "stl_map.h", "stl_tree.h", "shared_ptr_base.h", "new_allocator.h", "alloc_traits.h", "\\vc\\tools\\msvc\\",
        "vctools\\crt", "/libcxx/include/", "libc++/trunk/include", "/bits/",
    ),
)  # fmt: skip
