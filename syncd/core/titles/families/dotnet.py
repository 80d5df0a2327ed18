""".NET, Mono, and Unity with both of its scripting backends. Sources: https://learn.microsoft.com/dotnet/api/ and https://docs.unity3d.com.

IL2CPP makes the name of a C function of a type and a method: `List_1_get_Item_m…` is that of `List<T>.get_Item`."""

from syncd.core.titles.families import Family

_TYPES = (
    "List_1|Dictionary_2|HashSet_1|Queue_1|Stack_1|LinkedList_1|SortedList_2|SortedDictionary_2|KeyValuePair_2|Enumerator|Enumerable|Array|ArrayList|Hashtable|String|StringBuilder|Nullable_1|Lazy_1|Tuple_\\d|ValueTuple_\\d|Action|Action_\\d|Func_\\d|Delegate|MulticastDelegate|UnityAction|UnityAction_\\d|"
    "UnityEvent|UnityEvent_\\d|UnityEventBase|InvokableCall|InvokableCall_\\d|InvokableCallList|Task|Task_1|TaskAwaiter|TaskAwaiter_1|TaskExceptionHolder|TaskContinuation|AwaitTaskContinuation|AsyncTaskMethodBuilder|AsyncTaskMethodBuilder_1|AsyncVoidMethodBuilder|AsyncMethodBuilderCore|MoveNextRunner|ExecutionContext|"
    "ExceptionDispatchInfo|StackTrace|Exception|ThreadPoolWorkQueue|ThreadHelper|Thread|Timer|SynchronizationContext|UnitySynchronizationContext|WorkRequest|Monitor|Interlocked|Marshal|Buffer|Convert|Enum|Type|RuntimeType|MonoMethod|MethodBase|Activator|Object|Component|GameObject|Transform|Debug|DebugLogHandler|Logger|ThrowHelper|"
    "UniTask|UniTask_1|UniTaskCompletionSource\\w*|AsyncUniTask\\w*|UniTaskScheduler|PlayerLoopRunner|ContinuationQueue|CancellationTokenSource|SendOrPostCallback|Comparison_1|Comparer_1|EqualityComparer_1|Span_1|Memory_1"
)
DOTNET = Family(
    irrelevant=(
        "System.*ThrowHelper.*", "System.ThrowHelper:*", "System.Environment.FailFast*", "System.Environment:FailFast*",
        "System.Runtime.ExceptionServices.*", "System.Diagnostics.StackTrace*", "System.Diagnostics.Debug.*", "System.Diagnostics.Trace.*",
        "System.Diagnostics.TraceInternal*", "System.Exception.*", "System.Exception:*", "System.Runtime.CompilerServices.TaskAwaiter*",
        "System.Runtime.CompilerServices.ConfiguredTaskAwait*", "System.Runtime.CompilerServices.ValueTaskAwait*",
        "System.Runtime.CompilerServices.Async*", "System.Runtime.CompilerServices.MoveNextRunner*", "System.Object:wrapper_*",
        "System.Environment.get_StackTrace", "System.Environment.GetStackTrace*", "*UnhandledException*", "*UnhandledErrorDetected*",
        "*UnhandledExceptionTelemetry*", "UnityEngine.Debug*", "UnityEngine.StackTraceUtility*", "UnityEngine.Logger*",
        "UnityEngine.DebugLogHandler*", "UnityEngine.Assertions.*", "UnityEngine.Application.CallLogCallback*", "Backtrace.Unity.*", "Sentry.*",
        "Xunit.Assert*", "NUnit.Framework.Assert*",
        "mono_*", "do_runtime_invoke*", "ves_icall_*", "ves_*", "scripting_*", "ScriptingInvocation*", "ScriptingGCHandle*",
        "<Module>:runtime_invoke*", "Module>:runtime_invoke*", "il2cpp::*", "il2cpp_*", "Il2Cpp*", "RuntimeInvoker_*",
        "/^(?:Il2CppExceptionWrapper|RaiseInvalidCast\\w*|NullCheck|ThrowNull\\w*|IL2CPP_\\w+|Raise\\w+Exception|\\w*Exception__ctor)$/",
        "UnityMain*", "UnityPlayerMain*", "UnityInitApplication*", "winutils::*", "PlayerMainWndProc", "PlayerWinMain", "UnityEngine_CUSTOM_*",
        "Utils_CUSTOM_*", "UnhandledExceptionFilter*", "/^(?:ReleaseAssert|HandleSignal|CrashSignalHandler|DebugStringToFile\\w*)$/", "JIT_*",
        "CallDescrWorker*", "IL_Throw*", "IL_Rethrow*", "clr!*", "COMPlusThrow*", "RaiseTheException*", "DispatchManagedException*", "EEPolicy::*",
        "CrashDumpAndTerminate*", "PROCAbort*", "PROCCreateCrashDump*", "ProcessCLRException*", "HandleHardwareException*", "ThePreStub*",
        "Interop.*", "Internal.Runtime.*", "System.RuntimeExceptionHelpers*", "RhThrow*", "S_P_CoreLib_System_*ThrowHelper*", "System.SR.*",
        "/^(?:MoveNext|lambda_method\\d*|dynamicClass\\.\\w+)$/",
    ),
    prefix=(
        "/^System\\.(?:Collections|Linq|Runtime|Threading|Text|Reflection|Globalization|Diagnostics|ComponentModel|Buffers|Numerics|Private|Resources)\\./",
        "/^System\\.(?:String|Array|Convert|Number|U?Int\\w*|Object|Delegate|MulticastDelegate|Action|Func|Activator|Span\\w*|ReadOnlySpan\\w*|Memory\\w*|Buffer|Nullable|Lazy|Enum|Guid|DateTime\\w*|TimeSpan|Random|Math|MathF|GC|Type|RuntimeType\\w*|RuntimeMethod\\w*|SR|Environment|Version|Uri\\w*|Double|Single|Decimal|Boolean|Char|Byte|Tuple|ValueTuple|EventHandler|AppDomain|AppContext|Index|Range|HashCode|BitConverter|ThrowHelper|WeakReference|Progress|Attribute)[.:`/+]/",
        "Microsoft.Win32.*", "Mono.*", "Microsoft.CSharp.*", "Cysharp.Threading.Tasks.*", "UniRx.*", "R3.*", "MS.Internal.*", "MS.Win32.*",
        "Interop*", "UnityEngine.Object*", "UnityEngine.Component*", "UnityEngine.GameObject*", "UnityEngine.UnitySynchronizationContext*",
        "UnityEngine.Events.*", "UnityEngine.SetupCoroutine*", "UnityEngine.Bindings*", "UnityEngine.ThrowHelper*",
        f"/^(?:{_TYPES})(?:__|_)\\w+$/", "Unity.Collections.*", "Unity.Burst.*", "Unity.Jobs.*", "MonoBehaviour::*", "SerializableManagedRef::*",
        "PlayerLoop*", "BaseBehaviourManager::*", "BehaviourManager::*", "ExecutePlayerLoop*", "callWithScripting*",
    ),
    library=(
        "System.*", "Microsoft.*", "Windows.*", "UnityEngine.*", "UnityEditor.*", "UnityEngineInternal.*", "Unity.*", "MS.*", "Newtonsoft.*",
        "Xamarin.*", "Android.Runtime.*", "Java.Interop.*", "ObjCRuntime.*", "UIKit.*", "Foundation.*", "Avalonia.*", "DG.Tweening.*", "TMPro.*",
        "NUnit.*", "Xunit.*", "Zenject.*", "VContainer.*",
        "MonoMod.*", "HarmonyLib.*", "BepInEx.*", "Serilog.*", "NLog.*", "AutoMapper.*", "Autofac.*", "EntityFramework*", "Npgsql.*", "Dapper.*",
        "ReactiveUI.*", "Prism.*", "Caliburn.*", "WinRT.*", "ABI.*", "SharpDX.*", "OpenTK.*", "Microsoft.Xna.*", "Godot.NativeInterop.*",
        "/^\\(wrapper /",
    ),
    loops=(
        "System.Windows.Threading.Dispatcher.Run*", "System.Windows.Threading.Dispatcher.PushFrame*", "System.Windows.Application.Run*",
        "System.Windows.Forms.Application.Run*", "System.Threading.ThreadPoolWorkQueue.*", "System.Threading.ThreadHelper.*",
        "System.Threading.PortableThreadPool*", "UnityEngine.UnitySynchronizationContext*",
    ),
    modules=("UnityPlayer*", "libunity*", "UnityEngine.*", "UnityFramework"),
    plumbing=("mono-2.0*", "libmono*", "coreclr*", "libcoreclr*", "clr.dll", "clr", "clrjit*", "System.Private.CoreLib*", "mscorlib*"),
    places=("/packagecache/com.unity.", "/packagecache/com.cysharp.", "/mono/mcs/class/"),
)  # fmt: skip
