"""Go: its run-time part and standard library. Source: https://pkg.go.dev/std."""

from syncd.core.titles.families import Family

_PACKAGES = (
    "archive/\\w+|bufio|bytes|cmp|compress/\\w+|container/\\w+|context|crypto(?:/\\w+)*|database/\\w+(?:/\\w+)?|debug/\\w+|embed|encoding(?:/\\w+)*|errors|expvar|flag|fmt|go/\\w+|hash(?:/\\w+)*|html(?:/\\w+)?|image(?:/\\w+)*|index/\\w+|"
    "io(?:/\\w+)?|iter|log(?:/\\w+)*|maps|math(?:/\\w+)*|mime(?:/\\w+)?|net(?:/[\\w/]+)?|os(?:/[\\w/]+)?|path(?:/\\w+)?|plugin|reflect|regexp(?:/\\w+)?|slices|sort|strconv|strings|sync(?:/\\w+)?|syscall|testing(?:/\\w+)?|text/[\\w/]+|time|"
    "unicode(?:/\\w+)*|unique|unsafe|internal/[\\w/]+|vendor/[\\w./-]+"
)
GO = Family(
    irrelevant=(
        "runtime.gopanic*", "runtime.panic*", "runtime.throw*", "runtime.fatal*", "runtime.sigpanic*", "runtime.dopanic*", "runtime.goexit*",
        "runtime.main", "runtime.raise*", "runtime.dieFromSignal*", "runtime.sig*", "runtime.cgoSig*", "runtime.crash", "runtime.goPanic*",
        "runtime.asmcgocall*", "runtime.systemstack*", "runtime.mcall*", "runtime.morestack*", "runtime.newstack*", "runtime.rt0_go*",
        "runtime.mstart*", "runtime/debug.*",
        "panic", "sync.throw", "sync.fatal", "internal/sync.throw", "internal/sync.fatal", "runtime.call[0-9]*", "runtime.goready",
        "runtime.gopark*", "runtime.notesleep*", "runtime.futex*", "runtime.semacquire*", "runtime.sema*", "runtime.selectgo*", "runtime.chan*",
        "runtime.usleep*", "runtime.netpoll*", "runtime.schedule", "runtime.findRunnable", "internal/poll.runtime_*", "sync.runtime_*",
        "created by *", "log.Fatal*", "log.Panic*", "log.(*Logger).Fatal*", "log.(*Logger).Panic*",
        "github.com/sirupsen/logrus.*", "go.uber.org/zap.*", "go.uber.org/zap/*", "github.com/rs/zerolog.*", "k8s.io/klog*",
        "github.com/golang/glog.*", "testing.tRunner*",
    ),
    prefix=(
        "runtime.*", "runtime/*",
        f"/^(?:{_PACKAGES})\\.(?:\\(\\*?|[A-Z]|\\w+\\.(?:[A-Z]|func)|init|newPrinter|marshal|unmarshal|throw|indirect|typeEncoder|\\w+Encoder|\\w+\\()/",
        "/^(?:sync|reflect|syscall|internal/[\\w/]+)\\.[\\w(]/",
    ),
    library=(
        "golang.org/x/*", "google.golang.org/*", "github.com/gin-gonic/gin.*", "github.com/gorilla/*", "github.com/labstack/echo*",
        "github.com/gofiber/*", "go.opentelemetry.io/*", "github.com/spf13/cobra.*", "github.com/urfave/cli*", "gorm.io/*", "net/http.*",
        "database/sql.*", "gopkg.in/yaml*", "github.com/stretchr/testify/*", "github.com/pkg/errors.*",
    ),
    places=("/usr/local/go/src/", "/go/src/runtime/", "/libexec/src/"),
)  # fmt: skip
