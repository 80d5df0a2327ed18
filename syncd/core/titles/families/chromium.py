"""Chromium, Electron, V8, Node.js' native half, and Gecko: logging, checks, memory, callbacks, tasks.

Sources: https://chromium.googlesource.com/chromium/src/+/main/docs/, https://v8.dev/docs, https://searchfox.org."""

from syncd.core.titles.families import Family

CHROMIUM = Family(
    irrelevant=(
        "logging::*", "base::debug::*", "base::ImmediateCrash", "base::internal::*Check*", "base::TerminateBecauseOutOfMemory*",
        "base::internal::OnNoMemory*", "base::internal::RunOnceHelper*", "base::win::*OnNoMemory*", "*DumpWithoutCrashing*",
        "crash_reporter::DumpWithoutCrashing", "crash_reporter::internal::*DumpWithoutCrashing*", "crash_reporter::*Crashpad*", "breakpad::*",
        "electron::*CrashReporter*", "crash_keys::*", "partition_alloc::*OnNoMemory*", "partition_alloc::TerminateBecauseOutOfMemory*",
        "partition_alloc::internal::*OutOfMemory*", "partition_alloc::*logging*", "partition_alloc::*RawCheck*", "*PartitionOutOfMemory*",
        "*PartitionExcessiveAllocationSize*",
        "V8_Fatal*", "V8_Dcheck*", "v8::base::OS::Abort", "v8::base::OS::*", "v8::base::FatalOOM*", "v8::base::*Check*",
        "v8::base::(anonymous namespace)::*", "v8::base::PrintCheck*", "v8::internal::V8::FatalProcessOutOfMemory*",
        "v8::internal::FatalProcessOutOfMemory*", "v8::Utils::ReportOOMFailure", "v8::Utils::ReportApiFailure*", "v8::V8::*Fatal*",
        "v8::internal::*::PushStackTraceAndDie", "v8::internal::Isolate::PushStackTrace*", "v8::internal::*FatalError*",
        "v8::internal::Heap::FatalProcessOutOfMemory*", "v8::api_internal::*Fail*", "blink::ReportV8OOMError*", "blink::ReportOOMError*",
        "blink::ReportFatalError*", "blink::V8*FatalError*", "blink::ReportV8FatalError*", "blink::BlinkGCOutOfMemory*",
        "gin::*PrintStackTrace*", "gin::*PageAllocator*OnOutOf*", "node::Abort*", "node::Assert*", "node::OnFatalError*", "node::OOMErrorHandler*",
        "node::DumpBacktrace*", "node::DumpNative*", "node::*TriggerUncaughtException*", "node::errors::TriggerUncaughtException*",
        "node::AppendExceptionLine*", "electron::*OOMError*", "electron::V8*ErrorCallback*", "WTFCrash*", "WTF::*Crash*", "WTFReportBacktrace*",
        "WTF::PartitionsOutOfMemory*", "WTF::Partitions::HandleOutOfMemory*", "Builtins_*", "v8_inspector::*Throw*", "ReportUnhandledException*",
        "mozalloc_*", "MOZ_Crash*", "mozilla::ipc::FatalError*", "mozilla::*MOZ_*", "NS_DebugBreak*", "nsDebugImpl::*", "NS_ABORT_OOM*",
        "js::AutoEnterOOMUnsafeRegion::crash*", "mozilla::DumpStack*", "gkrust_shared::*hook*", "RustMozCrash*", "mozilla::CrashReporter::*",
        "CrashReporter::*", "google_breakpad::*", "mozglue_*", "mozilla::detail::InvalidArrayIndex_CRASH*", "InvalidArrayIndex_CRASH*",
        "mozilla::detail::*Crash*", "moz_xmalloc*", "moz_xrealloc*", "arena_t::*", "moz_arena_*", "GeckoCrash*", "skia_private::*Crash*",
        "sk_abort*", "SkDebugf*", "SkAbort*",
        "content::(anonymous namespace)::*Crash*", "HandleOutOfMemory*", "allocator_shim::*", "ShimCppNew*", "ShimMalloc*", "ShimCppDelete*",
        "ShimRealloc*", "ShimFree*", "ShimCalloc*", "base::PartitionRoot*", "base::allocator::*", "gpu::*CrashDump*",
    ),
    prefix=(
        "scoped_refptr*", "base::scoped_refptr*", "base::*Ref*::*", "base::raw_ptr*", "base::WeakPtr*", "base::WeakReference*", "base::subtle::*",
        "base::internal::*", "base::OnceCallback*", "base::RepeatingCallback*", "base::Callback*", "base::flat_*", "base::circular_deque*",
        "base::span*", "base::CheckedContiguous*", "base::BindState*", "base::Optional*", "base::Lock*", "base::AutoLock*", "base::Optional*",
        "base::ScopedTypeRef*", "base::ObserverList*", "base::NoDestructor*", "base::Singleton*", "base::LazyInstance*", "base::StrCat*",
        "base::StringPrintf*", "base::WaitableEvent*", "base::ConditionVariable*", "base::SequenceChecker*", "base::ThreadChecker*",
        "base::PlatformThread*", "base::SupportsWeakPtr*",
        "WTF::*", "blink::Member*", "blink::Persistent*", "blink::HeapVector*", "blink::HeapHash*", "cppgc::*", "partition_alloc::*",
        "base::Partition*", "v8::internal::Handle::*", "v8::internal::DirectHandle*", "v8::internal::HandleScope*", "v8::internal::Tagged*",
        "v8::internal::HeapAllocator::*", "v8::internal::Factory::Allocate*", "v8::internal::FactoryBase::Allocate*",
        "v8::internal::LocalFactory::Allocate*", "v8::internal::Factory::New", "v8::internal::Malloced::*", "v8::internal::Zone::*",
        "v8::internal::New*Array*", "v8::internal::AllocWithRetry*", "v8::internal::AlignedAlloc*", "v8::Local::*", "v8::Global::*", "v8::base::*",
        "v8::internal::Heap::AllocateRaw*", "v8::internal::Heap::stack*", "v8::internal::Object::cast", "/^v8::internal::\\w+::cast$/",
        "mojo::*", "IPC::*", "SkTArray*", "sk_sp*", "skia_private::*", "SkRefCnt*", "SkNVRefCnt*", "mozilla::RefPtr*", "mozilla::UniquePtr*",
        "mozilla::Vector*", "mozilla::Maybe*", "mozilla::detail::*", "mozilla::Atomic*", "mozilla::OffTheBooks*", "mozilla::Mutex*",
        "mozilla::BaseAutoLock*", "mozilla::Hash*", "nsTArray*", "nsCOMPtr*", "nsBaseHashtable*", "nsTHashtable*", "PLDHashTable*", "js::Vector*",
        "js::gc::Cell*", "JS::Rooted*", "JS::Handle*", "js::BarrieredBase*", "js::GCPtr*", "InvokeHelper*", "MakeItSo*", "FunctorTraits*",
    ),
    library=(
        "v8::internal::FunctionCallbackArguments*", "v8::internal::Builtin*", "v8::internal::*HandleApiCall*", "v8::internal::Execution::*",
        "v8::internal::*::Invoke", "v8::Function::Call", "v8::Script::Run", "node::MakeCallback*", "node::InternalMakeCallback*",
        "node::CallbackScope*", "node::AsyncWrap::*", "base::*", "gin::*", "gin_helper::*", "sql::*", "net::*URLRequest*", "sandbox::*",
        "mozilla::SpinEventLoop*", "nsThread::*", "NS_Process*",
    ),
    loops=(
        "base::MessagePump*", "base::RunLoop::Run*", "base::TaskAnnotator*", "base::sequence_manager::*", "content::BrowserMainLoop*",
        "content::RunBrowserProcessMain*", "content::ContentMain*", "MessageLoop::Run*", "base::MessageLoop*", "nsAppShell::*", "nsBaseAppShell::*",
        "MainLoop*", "node::SpinEventLoop*", "mozilla::ipc::MessagePump*",
    ),
    headers=("/base/functional/", "/base/memory/", "\\base\\memory\\", "base\\bind_internal", "base\\callback"),
)  # fmt: skip
