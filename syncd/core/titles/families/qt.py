"""Qt and the libraries of GNOME. Sources: https://doc.qt.io and https://docs.gtk.org.

The names of Qt's classes are a `Q` and a capital; programs of their own often have a `Q` and a small letter."""

from syncd.core.titles.families import Family

QT = Family(
    irrelevant=(
        "qt_assert*", "qFatal", "qt_message*", "qt_message_fatal*", "QMessageLogger::*", "qt_check_pointer*", "qBadAlloc", "qTerminate*",
        "qt_static_metacall", "KCrash::*", "g_assertion_message*", "g_assert_warning", "g_logv", "g_log*", "g_error", "g_abort",
        "g_return_if_fail_warning", "g_warn_message", "g_on_error_*", "g_log_structured*", "g_cond_wait*", "g_mutex_lock*", "g_poll",
        "g_thread_proxy", "xcb_wait*", "XReply", "XNextEvent", "XIfEvent", "XEventsQueued", "wl_display_*", "g_thread_create_proxy",
    ),
    prefix=(
        "/^Q(?:String\\w*|ByteArray\\w*|List\\w*|Vector\\w*|Hash\\w*|MultiHash|Map\\w*|MultiMap|Set|Stack|Queue|LinkedList|VarLengthArray|Variant\\w*|SharedPointer\\w*|WeakPointer|Pointer|ScopedPointer\\w*|ExplicitlyShared\\w*|SharedData\\w*|ArrayData\\w*|TypedArrayData|BasicAtomic\\w*|Atomic\\w*|Char|Latin1\\w*|Mutex\\w*|ReadWriteLock|Semaphore|WaitCondition|GenericArrayOps|PodArrayOps|Slot\\w*|Debug)::/",
        "QtPrivate::*", "QtSharedPointer::*", "QHashPrivate::*", "doActivate", "*::qt_static_metacall", "*::qt_metacall", "QMetaObject::*",
        "QMetaObjectPrivate::*", "QObject::*", "QObjectPrivate::*", "QMetaCallEvent::*", "QMetaMethod::*", "qobject_cast*", "q[A-Z]*", "QFutex*",
        "QV4::*", "QQml*::*", "QJSEngine*", "QThreadPrivate::*", "g_free", "g_malloc*", "g_slice_*", "g_object_unref", "g_object_ref", "g_type_*",
        "g_str*", "g_hash_table_*", "g_list_*", "g_slist_*", "g_object_*", "g_closure_*", "g_signal_*", "g_cclosure_*",
    ),
    library=(
        "/^Q[A-Z]\\w*(?:::|$)/", "QApplication*", "KApplication::*",
        "/^(?:g|gdk|gtk|gio|pango|cairo|gsk|gst|glib|clutter|cogl|meta|webkit|soup|atk|rsvg|pixman)_[a-z]\\w*$/", "/^_(?:g|gdk|gtk)_\\w+$/",
    ),
    loops=(
        "QEventLoop::*", "QCoreApplication::exec", "QApplication::exec", "QGuiApplication::exec", "QCoreApplication::*", "QApplicationPrivate::*",
        "QApplication::notify*", "QEventDispatcher*", "QXcb*", "QWindows*", "QThreadPrivate::start", "QThread::exec", "g_main_*", "gtk_main*",
        "gtk_dialog_run", "g_application_run", "QSocketNotifier::*", "QTimer::*",
    ),
    modules=(
        "libQt*", "Qt[456]*", "QtCore*", "QtGui*", "QtWidgets*", "QtQml*", "libKF*", "libkde*", "libglib*", "libgobject*", "libgio*", "libgtk*",
        "libgdk*", "libpango*", "libcairo*", "libwayland*", "libxcb*", "libX11*",
    ),
    places=("qtbase/src/", "qtbase\\src\\", "/qtcore/", "qtdeclarative/src"),
)  # fmt: skip
