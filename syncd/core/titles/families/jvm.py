"""Java, Kotlin with its coroutines, Android with ART: the platform's classes and libraries of most programs.

Sources: https://docs.oracle.com/javase/, https://kotlinlang.org/api/, https://developer.android.com/reference/."""

from syncd.core.titles.families import Family

JVM = Family(
    irrelevant=(
        "java.lang.*Exception.*", "java.lang.*Error.*", "java.lang.Throwable.*", "java.lang.Thread.getStackTrace", "java.lang.Thread.run",
        "java.lang.Thread.exit", "dalvik.system.VMStack.*", "kotlin.*Exception*", "kotlin.jvm.internal.Intrinsics.*", "kotlin.ExceptionsKt*",
        "kotlin.internal.*", "kotlin.KotlinNothingValueException*",
        "kotlinx.coroutines.*Error", "kotlinx.coroutines.internal.StackTraceRecovery*", "kotlinx.coroutines.CoroutineExceptionHandler*",
        "kotlinx.coroutines.*handleException*", "kotlinx.coroutines.DebugStringsKt*", "java.util.Objects.requireNonNull*",
        "java.util.Objects.checkIndex", "jdk.internal.util.Preconditions.*", "android.util.Log.*",
        "art::*", "art_*", "artQuick*", "artInterpreter*", "art_quick_*", "ExecuteMterp*", "ExecuteNterp*", "ExecuteSwitch*", "Mterp*", "mterp_*",
        "nterp_*", "NterpGet*", "dvm*", "JniAbort*", "CheckJNI*", "android::AndroidRuntime::*", "android::Looper::*",
        "android::NativeMessageQueue::*", "android::android_os_MessageQueue_*", "android::IPCThreadState::*", "android::Thread::*",
        "android::PoolThread*", "androidSetThread*", "JavaMain", "jni_invoke*", "JavaCalls::*", "os::*", "VMError::*", "report_vm_error",
        "JVM_handle_linux_signal", "javaSignalHandler", "Java_J_N_*",
        "java.lang.Runtime.halt*", "java.lang.System.exit", "java.lang.Shutdown.*", "com.android.internal.os.RuntimeInit*Handler*",
        "Fatal Exception*", "Caused by*", "leakcanary.*", "io.sentry.*", "com.bugsnag.*", "backtraceio.*",
    ),
    prefix=(
        "java.lang.*", "java.util.*", "java.io.*", "java.nio.*", "java.text.*", "java.math.*", "java.time.*", "java.security.*", "java.net.*",
        "jdk.*", "sun.*", "com.sun.*", "kotlin.*", "kotlinx.*", "libcore.*", "dalvik.*", "scala.*", "groovy.*", "clojure.*", "com.google.common.*",
        "org.apache.commons.*", "org.codehaus.groovy.*", "com.google.gson.internal.*", "org.json.*", "androidx.collection.*", "android.util.*",
        "android.os.Parcel*", "android.os.Binder*", "android.os.StrictMode*",
        "it.unimi.dsi.fastutil.*", "org.jetbrains.annotations.*", "com.google.common.base.*",
    ),
    library=(
        "java.*", "javax.*", "android.*", "androidx.*", "com.android.*", "com.google.android.*", "com.google.firebase.*", "com.google.gson.*",
        "com.google.crypto.*", "com.google.protobuf.*", "okhttp3.*", "okio.*", "retrofit2.*", "io.reactivex.*", "rx.*", "dagger.*",
        "hilt_aggregated_deps.*", "com.facebook.*", "com.bumptech.glide.*", "coil.*", "com.squareup.*", "org.springframework.*", "org.hibernate.*",
        "io.netty.*", "org.apache.*", "org.eclipse.*", "io.ktor.*", "io.grpc.*", "com.fasterxml.*", "org.junit.*", "junit.*",
        "org.slf4j.*", "ch.qos.logback.*", "com.unity3d.*", "org.chromium.*", "org.spongepowered.*", "cpw.mods.*", "net.fabricmc.loader.*",
        "org.quiltmc.loader.*", "com.airbnb.*", "com.jakewharton.*", "org.greenrobot.*", "com.miui.*", "com.samsung.*", "com.huawei.*",
        "org.lwjgl.*", "org.jetbrains.skia*", "javafx.*", "com.sun.javafx.*", "io.flutter.*", "org.gradle.*", "android::*",
        "com.mojang.serialization.*", "com.mojang.datafixers.*", "com.mojang.brigadier.*", "HSAIL*",
    ),
    loops=(
        "android.os.Looper.*", "android.os.Handler.*", "android.os.MessageQueue.*", "android.app.ActivityThread.main",
        "android.app.ActivityThread$H.*", "java.util.concurrent.ThreadPoolExecutor*", "java.util.concurrent.ForkJoin*", "com.android.internal.os.*",
        "kotlinx.coroutines.scheduling.CoroutineScheduler*", "kotlinx.coroutines.EventLoop*", "java.awt.EventDispatchThread*",
        "android.view.Choreographer*",
    ),
    modules=(
        "libart*", "libdvm*", "libandroid_runtime*", "libandroid.so", "libutils.so", "libbinder*", "libhwui*", "libjvm*", "libc.so", "libandroidfw*",
        "libgui.so", "boot*.oat", "core-oj*", "framework.jar", "base.odex", "linker*", "libwebviewchromium*", "libmonochrome*",
    ),
    places=("/system/lib", "/apex/", "/system/framework", "/vendor/lib", "~[guava", "/system/bin/"),
)  # fmt: skip
