"""Texts of real crash reports, and others of their kinds, that have nothing private: none of them may change. A developer who finds a
frame eaten trusts no frame any more."""

FRAMES = r"""
blink::HTMLDocumentParser::constructTreeFromCompactHTMLToken(blink::CompactHTMLToken const&)
UnrealEditor_Core!FDebug::CheckVerifyFailedImpl2() [D:\build\++UE5\Sync\Engine\Source\Runtime\Core\Private\Misc\AssertionMacros.cpp:745]
#147 pc 00000000001fe64c  lib/arm64/libil2cpp.so (BuildId: 85f8023f9b6b474a14197a320d87942d49a09698)
base::internal::Invoker<1, base::internal::BindState<base::internal::RunnableAdapter<void (WebDataServiceBackend::*)()>, void (WebDataServiceBackend*)>>::Run
kotlinx.coroutines.CancellableContinuationImpl.resumeImpl(CancellableContinuationImpl.kt:330)
created by github.com/maxcnunes/gaper.(*runner).runBin
<core::iter::adapters::map::Map<I,F> as core::iter::traits::iterator::Iterator>::next
-[FSCacheObject .cxx_destruct] (FSAudioStream.mm:39)
main.lua:301: in function 'updateScale'
__26-[HomeController createUI]_block_invoke_2
libxul.so@0x5aca8a
_end at ??:0
CoreBind::OS::crash(String const&) at ./core/core_bind.cpp:344 (discriminator 2)
-[LoginController loginWithUser:password:completion:]
-[OAuthClient setToken:secret:forUser:]
+[NSURLCredential credentialWithUser:password:persistence:]
MyApp.login(user: Swift.String, password: Swift.String) -> Swift.Bool
static App.Session.start(token: Swift.Optional<Swift.String>, secret: Foundation.Data) async throws -> ()
closure #1 in Auth.refresh(token:secret:) + 220
fn auth::verify(token: &str, secret: &[u8]) -> Result<Claims, Error>
auth::token::Token::parse::h1b928aa0c3d4e5f6
std::make_unique<TokenStream>(TokenStream&&)
Parser::expect(Token token1, Token token2)
void Lexer::push(TokenKind kind, Token* token = nullptr)
google_breakpad::ExceptionHandler::SignalHandler(int, siginfo_t*, void*)
crypto::SecretKey::operator==(SecretKey const&) const
PasswordManager::OnPasswordFormsParsed(PasswordForm const&)
password_manager::PasswordStore::GetLogins(password_manager::PasswordFormDigest const&)
System.Threading.CancellationToken.ThrowIfCancellationRequested()
System.Threading.CancellationTokenSource.Cancel(Boolean throwOnFirstException)
at Acme.Login.Validate(String userName, SecureString password, CancellationToken token) in D:\a\src\Login.cs:line 42
System.IO.FileNotFoundException: Could not load file or assembly 'Acme.Core, Version=1.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089'
mscorlib, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089
com.acme.auth.TokenStore$$Lambda$14/0x0000000800c03000.run(Unknown Source)
java.lang.IllegalStateException: Fragment LoginFragment{4f1c2d3} (0e4b7c1a-33de-4bb0-8e5b-6b8c6d1f2a3b) not attached to a context
at com.google.firebase.auth.FirebaseAuth.signInWithCustomToken(FirebaseAuth.java:12)
org.apache.http.auth.UsernamePasswordCredentials.<init>(UsernamePasswordCredentials.java:89)
android.os.TokenWatcher.acquire(TokenWatcher.java:95)
render@http://localhost:8080/static/js/bundle.js:12:34
render@app.min.js:1:2345
global code@index.html:10:3
onClick@main.dart.js:101
at Object.<anonymous> (node_modules/.pnpm/react-dom@18.2.0_react@18.2.0/node_modules/react-dom/cjs/react-dom.development.js:123:9)
node_modules/@babel/core@7.0.0-beta.4/lib/index.js
lodash@4.17.21
webpack@5.0.0-rc.next
icon@2x.png
sprites/hero@3x.jpeg
memcpy@plt
<memcpy@plt>
puts@@GLIBC_2.2.5
fopen@GLIBC_2.2.5
_Function@8
?draw@Renderer@@QEAAXAEBUFrame@@@Z
??0exception@std@@QEAA@AEBV01@@Z
java.lang.Object@1b6d3586
com.acme.Token@7a81197d
org.acme.View{id=2131230799, token=null}
0x00007ff8a1b2c3d4 in ?? () from /usr/lib/x86_64-linux-gnu/libc.so.6
#1  0x000055d0 in parse (token=0x7ffd5b2c, password=0x0) at token.c:12
#2 login (user=0x0, token=<optimized out>)
libapp.so!std::__ndk1::basic_string<char, std::__ndk1::char_traits<char>, std::__ndk1::allocator<char> >::append(char const*, unsigned int)
std::filesystem::path::operator/=(std::filesystem::path const&)
Foo::~Foo()
(anonymous namespace)::Worker::run()::{lambda()#1}::operator()() const
game.exe!std::_Func_impl_no_alloc<<lambda_4a5b6c7d8e9f>,void>::_Do_call
objc_msgSend + 32
App`-[ViewController viewDidLoad] + 64 at ViewController.m:21
MyGame.exe+0x1a2b3c
RenderPass::Execute(RenderPass* pass, int passIndex)
vkCmdBeginRenderPass (pass = 2)
llvm::PassManager::run(llvm::Module&)
AuthService.authenticate(AuthService.java:55)
main.(*Session).Key(0xc000010000)
net/http.(*Transport).roundTrip(0xc0000d0000, 0xc0001b2000)
runtime.gopanic({0x5a3f20, 0xc00001c0a8})
""".strip().splitlines()

MESSAGES = r"""
SyntaxError: Unexpected token '<', "<!DOCTYPE "... is not valid JSON
SyntaxError: Unexpected token: identifier
Unexpected token: RPAREN
syntax error, unexpected token ';', expecting ','
invalid token: ';' at line 3
expected token: name, got token: number
ParseError: token = T_STRING in index.php:12
Token expired
token has expired at 2026-11-25T07:00:00Z
The token is invalid
Invalid password
password incorrect for user
Password: must be at least 8 characters
password is required
Access denied for user (using password: YES)
wrong password or username
Error: secret not found
secret: not found
/etc/passwd: Permission denied
/run/secrets/token: No such file or directory
open /etc/ssl/private.key: no such file
PasswordError: incorrect
token=null password=null
password=None, token=None
token=${TOKEN} password=%s secret={secret}
password=********
api_key=[REDACTED]
api key missing
API key is invalid
KeyError: 'token'
KeyError: 'access_token'
missing 1 required positional argument: 'password'
NoMethodError: undefined method `token' for nil:NilClass
Cannot read properties of undefined (reading 'token')
Cannot read property 'password' of null
undefined is not an object (evaluating 'this.props.token')
attempt to index field 'token' (a nil value)
TypeError: Token() takes no arguments
no such column: token
NOT NULL constraint failed: users.password
duplicate key value violates unique constraint "tokens_pkey"
fields "username", "password", "email" are required
expected "token", got "secret"
tokens: 12, errors: 3
max_tokens=4096 prompt_tokens=12
num_tokens: 1024
token count 12
secret sauce
author: the team
session ended
sessionId is empty
pass 2 of 3
pass: ok
pass=1 fail=0
auth failed
auth: failed
pin 4 is high
keyboard: us
key not found: width
primary key: id
foreign key: user_id
foo: bar
PWD=/usr/lib
user interface
user=null
user: not found
user = root
username is required
connect to localhost:8080 failed
listening on [::]:80
host: localhost
hostname: nodename nor servname provided, or not known
device id: 0x1f08
DeviceId=0x73bf, VendorId=0x1002
GPU: NVIDIA GeForce RTX 3080 (Driver 31.0.15.3699)
Chrome/120.0.6099.109 Safari/537.36
MyGame/1.2.3.4
FileVersion: 10.0.19041.1
ProductVersion=4.0.0.12
Version 4.27.2.0
ver 1.0.0.3
app 1.2.92.147.g5b8f9367
OpenGL 4.6.0
2026-11-25 07:00:00.123
26-11-25-07-00-01
12:34:56:789
00:01:02
0x48:0x89:0xe5
48 89 e5 48 83 ec 20
sha256:5f3ac1d29e7b40861d54be0a37c9f28e61b7d3405a9c8e2f1746d0b35e8fa921
5f3ac1d29e7b40861d54be0a37c9f28e61b7d340
00112233-4455-6677-8899-aabbccddeeff
{00112233-4455-6677-8899-AABBCCDDEEFF}
AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01
at line 3 and dot product
meet at noon
look at example.com
array[at]
scale @ 2.5
1 @ 3
to: the server
from: cache
C:\Program Files (x86)\Game\bin\game.exe
C:\Windows\Users.dll
D:\jenkins\workspace\game\src\main.cpp
/usr/home
/opt/homebrew/bin
/var/lib/app/data
/data/user/0/com.acme.game/files
/data/app/~~abc==/com.acme.game-1/base.apk
/System/Library/Frameworks/UIKit.framework/UIKit
/private/var/containers/Bundle/Application/App.app/App
/Applications/Game.app/Contents/MacOS/Game
https://acme.sp.backtrace.io/p/main/triage?time=all
https://example.com/users/
https://example.com/home
http://localhost:3000/login?next=/home
file:///usr/share/doc
//comment: note
git@2.40
x@y
std::pair<int,int> a::b::c
a->b->c
dead:beef
C:D:E
::1
fatal error: 'token.h' file not found
Assertion failed: token != NULL, file token.c, line 12
Assertion `password != nullptr' failed.
assert(token.type == TokenType::End)
EXC_BAD_ACCESS (code=1, address=0x0)
code=200 status=OK
exit code: 139
signal 11 (SIGSEGV), code 1 (SEGV_MAPERR), fault addr 0x0
errno=2
HTTP 401 Unauthorized
Failed to decode token
Failed to refresh the access token: timeout
No credentials: not configured
credentials required
pass the token to the server
password reset for the user
a secret is not a password
Bearer authentication is required
Authorization header missing
cookie rejected
license agreement
Pixel 8 Pro
iPhone 15 Pro
iPhone14,2
the user's iPhone
it's Mac
MacBookPro18,1
SM-G991B
Windows 10.0.22631
DESKTOP-CLASS
WIN-64
""".strip().splitlines()

TEXTS = (*FRAMES, *MESSAGES)
