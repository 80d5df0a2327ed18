"""Godot: its crash handler, containers, references, variants and calls between objects. Source: https://docs.godotengine.org."""

from syncd.core.titles.families import Family

GODOT = Family(
    irrelevant=(
        "handle_crash*", "CrashHandler*", "crash_handler*", "invoke_previous_action*", "err_print*", "err_flush*", "_err_*",
        "err_print_index_error*", "print_error*", "OS_*::alert", "initialize_crash*", "*DumpBacktrace*", "WinMainCRT*", "widechar_main*",
        "godot_main*", "ShimMainCRTStartup",
    ),
    prefix=(
        "CowData*", "LocalVector::*",
        "/^(?:Map|Set|List|Vector|VMap|VSet|Span)::(?:operator.*|insert|erase|find|_\\w+|push_back|push_front|resize|remove\\w*|size|get|set|ptrw?|write|append|has|front|back|first|last|sort\\w*|begin|end|clear)$/",
        "HashMap::*", "HashSet::*", "OAHashMap::*", "RBMap::*", "RBSet::*", "SelfList::*", "PagedAllocator*", "RID_Alloc*", "RID_Owner*",
        "RID_PtrOwner*", "Ref::*", "RefPtr::*", "/^(?:RefCounted|Reference)::(?:init_ref|reference|unreference|refval)$/", "SafeRefCount*",
        "SafeNumeric*", "PoolVector*", "PoolAllocator*",
        "StringName::*", "NodePath::*", "/^Memory::\\w+_static$/", "DefaultAllocator::*", "memdelete*", "memalloc*", "memfree*", "predelete_handler",
        "postinitialize_handler", "CharStringT*", "CharString::*", "Char16String::*",
        "/^(?:godot::)?String::(?:size|length|is_empty|empty|operator.*|utf8|ascii|ptrw?|get_data|copy_from\\w*|resize|String|~String|parse_utf8|hash)$/",
        "/^(?:godot::)?(?:Array|Dictionary|PackedByteArray|Packed\\w+Array)::(?:size|operator.*|get|set|is_empty|empty|_ref|_unref|ptr|begin|end)$/",
        "Mutex*::*", "MutexLock*", "MutexImpl*", "ConditionVariable*",
        "Variant::*", "VariantInternal*", "VariantUtilityFunctions*", "variant_*", "call_with_variant_args*", "call_with_validated_*",
        "call_with_ptr_args*", "MethodBind*", "Callable::*", "CallableCustom*", "Object::call*", "Object::emit_signal*", "Object::_callp*",
        "Object::notification*", "Object::get", "Object::set", "Object::_notification_*", "MessageQueue::*", "CallQueue::*", "ObjectDB::*",
        "_VariantCall::*", "VariantCall::*",
        "GDScriptFunction::call*", "GDScriptInstance::callp", "GDScriptInstance::call*", "GDScriptLambdaCallable::*", "ScriptInstance::*",
        "GDExtension::*", "gdextension_*", "godot::internal::*", "CSharpInstance::*", "GDMono*", "Thread::callback", "WorkerThreadPool::*",
        "Object::cast_to",
    ),
    loops=("Main::iteration", "OS_*::run", "OS_Windows::run", "OS_LinuxBSD::run", "OS_MacOS*::run", "SceneTree::_notify_group_pause"),
    headers=("/core/templates/", "\\core\\templates\\", "core/cowdata.h", "core/vector.h", "core/reference.h", "core/os/memory.h"),
)  # fmt: skip
