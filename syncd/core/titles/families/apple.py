"""Apple's systems: the kernel's calls, libdispatch, Core Foundation, Objective-C, Swift and its standard library, UIKit and AppKit.

Sources: https://developer.apple.com/documentation/ and https://github.com/swiftlang/swift/tree/main/stdlib."""

from syncd.core.titles.families import Family

_TYPES = (
    "Array|ArraySlice|ContiguousArray|Dictionary|Set|String|Substring|Character|Optional|Range|ClosedRange|Sequence|Collection|BidirectionalCollection|RandomAccessCollection|MutableCollection|"
    "RangeReplaceableCollection|LazySequence|LazyMapSequence|AnyHashable|AnySequence|Int|Int32|Int64|UInt|UInt8|UInt32|UInt64|Double|Float|Bool|Result|Unicode|StaticString|KeyPath|AnyKeyPath|Mirror|Hasher|FixedWidthInteger|"
    "BinaryInteger|SignedNumeric|ManagedBuffer|Unmanaged|Slice|Zip2Sequence|EnumeratedSequence|StringProtocol|AsyncStream|AsyncSequence|Task|TaskGroup|MainActor|CheckedContinuation|UnsafeContinuation|Duration"
)
APPLE = Family(
    irrelevant=(
        # ends, exceptions, threads
        "exceptionPreprocess", "objc_exception_*", "handleUncaughtException*", "/^(?:CoreFoundation|Foundation|UIKitCore|UIKit|AppKit|QuartzCore|GraphicsServices|HIToolbox|CFNetwork)$/", "objc_terminate*", "objc_fatal*", "objc_error", "-[[]NSException *", "+[[]NSException *",
        "CFThrowFormattedException", "CFExceptionProem", "NSAssert*", "-[[]NSAssertionHandler *", "+[[]NSAssertionHandler *",
        "methodDescriptionForSelector", "objc_exception_destructor*",
        "forwarding_*", "forwarding", "CF_forwarding_prep_*", "CF_forwarding*", "-[[]NSObject(NSObject) doesNotRecognizeSelector:]",
        "+[[]NSObject(NSObject) doesNotRecognizeSelector:]", "-[[]*SwiftObject doesNotRecognizeSelector:]", "-[[]* doesNotRecognizeSelector:]",
        "-[[]* forwardInvocation:]", "-[[]NSForwarding *",
        "swift::fatalError*", "swift::swift_abort*", "swift_abort*", "assertionFailure", "fatalErrorMessage", "fatalError", "preconditionFailure",
        "/_(?:assertionFailure|fatalErrorMessage|assertionFailed)$/", "closure #* in *assertionFailure", "Swift runtime failure*",
        "swift_runtime_on_report", "swift_stdlib_*", "swift_unexpectedError", "swift_dynamicCastFailure*", "swift_deallocClassInstance*",
        "swift_release*",
        "swift_retain*", "swift_*", "swift::*", "swift_task_*", "thunk for *", "reabstraction thunk *", "outlined *", "thread_start*",
        "start_wqthread", "pthread_wqthread", "NSThread__start", "NSThread__start__", "pthread_start", "os_crash*", "os_assert*", "abort_with_*",
        "terminate_with_*", "dyld_stub_*", "dyld*::halt*", "dyld4::*", "dyld::*", "malloc_vreport*", "malloc_report*", "malloc_zone_error*",
        "malloc_error_break", "free_small_botch*", "free_tiny_botch*",
        "szone_error*", "block_invoke_*free", "xzm_*", "mfm_*", "BUG_IN_*", "CRASH_*", "_xpc_api_misuse", "xpc_api_misuse",
        "_os_unfair_lock_*_abort", "Block_release", "Block_copy", "libsystem_*", "-[[]PLCrash*", "plcrash*", "bsg_*", "BSG*", "kscrash*", "KSCrash*",
        "-[[]BugsnagClient *", "FIRCLS*", "CLS*",
        # waiting
        "mach_msg*", "semaphore_*wait*", "psynch_*", "kevent*", "ulock_*", "workq_*", "pthread_mutex_firstfit_*", "pthread_cond_wait*",
        "dispatch_semaphore_wait*", "dispatch_sema4_*", "dispatch_group_wait*", "dispatch_mach_*", "dispatch_thread_event_wait*",
        "dispatch_event_loop_wait*", "os_unfair_lock_*", "os_ulock_*", "select\\$*", "swtch_pri", "wait4*", "read_nocancel", "syscall_thread_switch",
        "dispatch_sync_f_slow*", "DISPATCH_WAIT_FOR_QUEUE*", "dispatch_once_wait*", "dispatch_gate_wait*", "dispatch_block_wait*",
    ),
    prefix=(
        "objc_*", "object_*", "class_*", "lookUpImpOrForward*", "getMethodNoSuper*", "search_method_list*", "realizeClass*", "fixupMethodList*", "readClass*", "cache_getImp*", "weak_*", "AutoreleasePoolPage::*", "sel_*", "imp_*", "dispatch_*",
        "libdispatch*", "malloc_zone_*", "szone_*", "tiny_*", "small_*", "large_*", "nano_*", "nanov2_*", "free_list_*", "platform_*", "CFRetain*",
        "CFRelease*", "CF_IS_OBJC", "CFTypeID*", "CFGetTypeID*", "CFBasicHash*", "CFAutorelease*", "NSAutoreleasePool*",
        f"/^(?:(?:closure #\\d+ in )*(?:static )?(?:Swift\\.)?_?(?:{_TYPES}|Contiguous\\w*|Unsafe\\w*|ArrayBuffer\\w*|SliceBuffer|Native\\w*|Cocoa\\w*|Dictionary\\w*|Set\\w*Storage|String(?:Guts|Object|Core)|Bridge\\w*|Lock\\w*|Bool\\w*))\\./",
        "Swift.*", "closure #* in Swift.*", "get_witness_table*", "lazy protocol witness *", "type metadata *", "metadata accessor *", "-[[]__NS*",
        "+[[]__NS*", "-[[]NS(?:Array|Dictionary|String|Set)*",
        "/^(?:\\d+)?[-+]\\[_*NS(?:CF|Concrete|Placeholder|Mutable)?\\w*(?:Array|Dictionary|String|Set|Data|Number|Value|Object|Cache|Map\\w*|HashTable|Index\\w+|Enumerator|Invocation|Method\\w+|Lock|Condition|RecursiveLock|Proxy)\\w*(?:\\((?:NS|_|CF)\\w*\\))? /",
        "-[[]NSObject *", "CFArray*", "CFDictionary*", "CFString*", "CFSet*", "CFData*", "CFNumber*", "CFBag*", "CFHash*", "CFEqual*", "NSKeyValue*",
        "NSSet*AndNotify", "-[[]NSObject(NSKeyValue*", "call_observers*",
    ),
    library=(
        "/^(?:\\d+)?[-+]\\[_*(?:NS|UI|CA|MTL|MTK|WK|AV|CL|SK|GK|MK|SCN|CT|CI|CN|PH|EK|HK|BS|FBS|RBS|TIP|PK|MF|QL|AS|CB|CM|LA|XP[CP]|OS|GC|RP|Web|TCC|AX|NW|SB|FB(?:S|Scene)|IO|MP|WC|AB|CKPS|UN|PL|CSSearch)[A-Z_]\\w*(?:\\((?:NS|UI|_|CA|BS|Private)\\w*\\))? /",
        "/^(?:\\d+)?[-+]\\[_+\\w+ /", "-[[]_*", "+[[]_*", "-[[]GCDAsync*",
        "/^(?:NS|UI|CF|CG|CGX|GS|MTL|AX|HI|LS)[A-Z]\\w+$/", "CA::*", "CI::*", "CTLine*", "CTFont*", "CTRun*", "AG::*", "SwiftUI.*",
        "/^(?:Sec(?:Item|Key|Trust|Cert|Access|Policy)\\w*|securityd?_\\w+|SSL[A-Z]\\w+)$/", "xpc_*", "IOKit*", "IOHID*", "IOConnect*", "IOSurface*",
        "notify_*", "CFNetwork*", "HTTP*Transaction*", "AudioQueue*", "AudioUnit*", "AU[A-Z]*::*", "AudioToolbox*", "WebCore::*", "WTF::*", "JSC::*",
        "WebKit::*", "WebThread*", "TMetaAccess*", "HLTB_*",
        "/^(?:closure #\\d+ in )*(?:static )?(?:URL|URLSession|URLRequest|Data|Date|IndexPath|IndexSet|JSONDecoder|JSONEncoder|Notification|NotificationCenter|DispatchQueue|DispatchSemaphore|DispatchGroup|OperationQueue|UserDefaults|Locale|Calendar|Decimal|UUID|Published|Publisher|PassthroughSubject|CurrentValueSubject|Just|ViewGraph|ViewRendererHost|GraphHost|ViewBodyAccessor|DynamicBody|ForEachState|AppGraph|App|StateObject|EnvironmentObject|UIHostingView|_UIHostingView|NSHostingView|ViewUpdater|ModelContext|PersistentModel|Logger|Subscribers|Publishers|Combine|SwiftUI|Foundation|NavigationStack|NavigationBridge\\w*|PlatformViewHost\\w*)\\./",
        "runApp*", "closure #* in KitRendererCommon*", "KitRendererCommon", "specialized runApp*",
    ),
    loops=(
        "UIApplicationMain*", "NSApplicationMain*", "CFRunLoopRun*", "CFRunLoopServiceMachPort*", "GSEventRun*", "-[[]NSApplication run]",
        "-[[]UIApplication _run]", "-[[]NSRunLoop*", "+[[]NSRunLoop*", "RunCurrentEventLoop*", "ReceiveNextEvent*", "BlockUntilNextEvent*",
        "DPSNextEvent", "-[[]NSApplication(NSEvent) *nextEvent*", "-[[]NSApplication(NSEventRouting) *", "static App.main", "runApp",
        "CFRUNLOOP_IS_*", "dispatch_main*",
    ),
    plumbing=(
        "libsystem_*", "libobjc*", "libdispatch*", "libc++abi*", "libswiftCore*", "libswift_*", "libdyld*", "dyld*", "libmacho*", "libclang_rt*",
    ),
    modules=(
        "lib*.dylib", "CoreFoundation", "Foundation", "UIKit*", "AppKit", "QuartzCore", "CoreGraphics", "GraphicsServices", "Security", "CFNetwork",
        "HIToolbox", "AE", "Metal*", "SwiftUI*", "AttributeGraph", "CoreData", "CoreText", "CoreAnimation", "CoreAudio", "AudioToolbox*", "AVF*",
        "AVFoundation", "WebKit", "WebCore", "JavaScriptCore", "ImageIO", "IOKit", "MapKit",
        "SceneKit", "SpriteKit", "CoreMedia", "VideoToolbox", "FrontBoardServices", "BackBoardServices", "BaseBoard", "RunningBoard*", "SkyLight",
        "Network", "CoreLocation", "StoreKit", "GameController", "Combine", "com.apple.*", "AGX*", "AppleMetal*", "GLEngine", "OpenGL*",
        "CoreServices", "LaunchServices", "CoreUI", "TextInput*", "UIFoundation", "ViewBridge",
    ),
)  # fmt: skip
