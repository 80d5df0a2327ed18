"""Unreal Engine: checks, containers, smart pointers, delegates, reflection, tasks. Source: https://dev.epicgames.com/documentation/unreal-engine/API."""

from syncd.core.titles.families import Family

_MODULES = (
    "Core|CoreUObject|Engine|Launch|Slate|SlateCore|UMG|UMGEditor|UnrealEd|RenderCore|Renderer|RHI|RHICore|D3D1[12]RHI|VulkanRHI|OpenGLDrv|MetalRHI|InputCore|ApplicationCore|Projects|Json|JsonUtilities|HTTP|Sockets|OnlineSubsystem\\w*|NetCore|IrisCore|Networking|PhysicsCore|Chaos\\w*|GeometryCollectionEngine|AIModule|"
    "NavigationSystem|GameplayTags|GameplayTasks|GameplayAbilities|EnhancedInput|AudioMixer\\w*|Niagara\\w*|Landscape|Foliage|LevelSequence|MovieScene\\w*|Sequencer|BlueprintGraph|Kismet|KismetCompiler|GraphEditor|PropertyEditor|ContentBrowser\\w*|AssetTools|AssetRegistry|EditorFramework|EditorStyle|LevelEditor|MainFrame|"
    "ToolMenus|SourceControl|Persona|AnimGraph\\w*|AnimationCore|MeshDescription|StaticMeshDescription|MeshUtilities|Messaging|TraceLog|DerivedDataCache|TargetPlatform|WebBrowser|SkeletalMesh\\w*|SubobjectEditor|StructUtils\\w*|TypedElement\\w*|DirectoryWatcher|Virtualization|Zen|CookOnTheFly|PakFile|Analytics\\w*"
)
UNREAL = Family(
    irrelevant=(
        "FDebug::*", "FError::*", "FOutputDevice*", "FWindowsErrorOutputDevice*", "FGenericPlatformMisc::RaiseException", "FWindowsPlatformMisc::*",
        "FGenericPlatformMisc::RequestExit*", "FUnixPlatformMisc::*", "FMacPlatformMisc::*", "FAndroidMisc::*", "AssertFailedImpl*",
        "DispatchCheckVerify*", "*CheckVerifyFailed*", "ReportCrash*", "ReportAssert*", "ReportGPUCrash*", "FWindowsPlatformCrashContext*",
        "FGenericCrashContext*", "FUnixCrashContext*", "CrashContextHandler*", "EngineCrashHandler*", "DefaultCrashHandler*",
        "PlatformCrashHandler*",
        "FMsg::*", "FLogSuppression*", "BasicLogFatal*", "StaticFailDebug*", "UE::Logging::*", "UE::Assert::*", "*StaticLogf*", "StaticLogf*",
        "LowLevelFatalError*", "FatalError*", "/^F\\w*(?:StackWalk|CrashContext|CrashReport\\w*)\\w*::/", "/^\\w*CrashHandler\\w*$/", "FEnsure*",
        "UE::Core::Private::*Check*", "FGenericPlatformMemory::OnOutOfMemory", "FWindowsPlatformMemory::OnOutOfMemory*", "*::OnOutOfMemory",
        "UE::GPUDumper*", "GetErrorMessage*", "VerifyD3D*Result*", "D3D12RHI::Verify*", "TerminateOnGPUCrash*",
        "FRunnableThread*", "FThreadImpl*", "UE::LowLevelTasks*", "LowLevelTasks::*", "UnguardedRun*", "FScopeLogIndent*",
    ),
    prefix=(
        "/^T(?:SharedPtr|SharedRef|WeakPtr|UniquePtr|ObjectPtr|WeakObjectPtr|SoftObjectPtr|RefCountPtr|OptionalPtr|Optional|Array|ArrayView|Map|MapBase|SortableMapBase|MultiMap|Set|SetElement|SparseArray|BitArray|ChunkedArray|IndirectArray|StaticArray|Queue|List|DoubleLinkedList|LinkedList|CompactSet|ScriptArray|RingBuffer|Tuple|Variant|Function|FunctionRef|UniqueFunction|FunctionRefCaller|Guard|ScopeLock|ScopeGuard|Future|Promise|Atomic|String\\w*|SubclassOf|Span|Range|Interval|Inline\\w*|Sized\\w*|Lockless\\w*|LockFree\\w*)(?:::|$)/",
        "/^T(?:Base|Multicast|Event|Delegate|Common|Raw|Weak|Script)\\w*(?:Delegate|Instance|Signature)\\w*(?:::|$)/",
        "/^(?:F|T)(?:Multicast\\w*|Script\\w*|Dynamic\\w*)?Delegate\\w*(?:::|$)/", "*_DelegateWrapper", "TMemFnDelegate*", "UE::Core::Private::*",
        "UE::Core::*", "UE::CoreUObject::Private::*", "UE::Math::*", "Invoke", "UE4Function_Private::*", "UE4Delegates_Private::*", "UE::Tasks::*",
        "TBaseUFunction*",
        "FString::*", "FName::*", "FNameEntry*", "FText::*", "FMemory::*", "FMalloc*", "FMallocBinned*", "FGenericPlatformMemory::*",
        "FGenericPlatformString::*", "FWindowsPlatformMemory::*", "FMath::*", "FVector::*", "FScopeLock*", "FCriticalSection*",
        "FWindowsCriticalSection*", "FPThreads*", "FEvent*::Wait*", "FWeakObjectPtr::*", "FSoftObjectPtr::*", "FObjectPtr::*", "FObjectHandle*",
        "ResolveObjectHandle*", "ReadObjectHandle*", "FScriptArray*", "FArchive::*", "FDebugLogger*", "FGCObject*", "FWeakReferencer*",
        "SharedPointerInternals::*",
        "UFunction::Invoke", "UObject::ProcessEvent", "UObject::CallFunction", "UObject::ProcessInternal", "UObject::ProcessContextOpcode",
        "UObject::exec*", "AActor::ProcessEvent", "ProcessLocal*Function*", "ProcessScriptFunction*", "ProcessMulticast*",
        "UObject::FindFunctionChecked", "UClass::*Property*", "FFrame::*", "/^`ProcessLocalFunction'/", "/::exec[A-Z]\\w+$/", "UObjectBase::*",
        "UObjectBaseUtility::*", "UObjectArray::*", "FUObjectArray::*", "FUObjectItem::*", "IsValid", "Cast", "CastChecked", "CastImpl",
        "GetTypeHash",
        "rml::internal::*", "scalable_*", "TGraphTask*", "FTaskGraph*", "FNamedTaskThread*", "FBaseGraphTask*", "FTaskThread*", "FQueuedThread*",
        "FAsyncTask*", "FTickFunctionTask*", "FTickTask*", "FSlateInvocation*",
    ),
    loops=(
        "FEngineLoop::Tick", "GuardedMain*", "LaunchWindowsStartup", "EngineTick", "FWindowsApplication::*WndProc*",
        "FWindowsPlatformApplicationMisc::PumpMessages*", "CommonUnixMain*",
    ),
    modules=(
        f"/^(?:lib)?(?:UnrealEditor|UE[45]Editor|UnrealGame|UE4Game)(?:[-_](?:{_MODULES}))?(?:[-_]Win64[-_]\\w+)?(?:\\.(?:dll|exe|so|dylib))?$/i",
    ),
    headers=("\\runtime\\core\\public\\", "/runtime/core/public/", "\\coreuobject\\public\\", "/coreuobject/public/"),
)  # fmt: skip
