// Package lab holds no code, only tests: real situations in which a bind to a
// low port fails, each made on a real kernel. A scenario builds the situation,
// starts a real program in it, checks the cause that the program names, and
// then runs every fix the program printed, word for word, and sees the bind
// succeed.
//
//	sudo -E env LOWPORT_LAB=require go test -count=1 ./internal/lab
//
// The lab needs root. Without root it skips and says so. As root it skips what
// this machine cannot do and says what is missing, or fails if
// LOWPORT_LAB=require is set. packages.txt lists what to install.
//
// If LOWPORT_TALLY names a file, the tests append to it what they counted, one
// line each: how many scenarios ran, how many causes were right, how many fixes
// were executed and worked, and how many execs were compared with the rule of
// package caps.
//
// # Other kernels
//
// make kernels boots kernels of Debian releases under qemu and runs the tests in
// machines of the lab's own, where LOWPORT_LAB_MACHINE names the folder of the
// programs, built beforehand. They have no systemd, no containers and no Go, and
// only there may a scenario load a policy, which applies to the whole kernel. A
// scenario that needs another kernel or kind of machine is left to that one. It
// is never a failure, and the tally counts it by what it needs.
//
// # A scenario
//
// Each file in testdata/script is one scenario:
//
//	# A binary with file capabilities on a nosuid mount: the kernel ignores them.
//	refused 77 nosuid-mount proven
//	fixed setpriv move remount sysctl
//	-- prepare --
//	mkdir /srv/app
//	mount -t tmpfs -o nosuid tmpfs /srv/app
//	install /lab/doctor /srv/app/doctor
//	setcap cap_net_bind_service=+p /srv/app/doctor
//	-- start --
//	exec setpriv --reuid=app --regid=app --init-groups /srv/app/doctor "$@"
//
// prepare is run by root with sh -e and makes the situation. start starts the
// program and is given the arguments as "$@". Both run in a sandbox: a fresh copy
// of this machine in namespaces of its own, whose disk is memory, with loopback
// as its only network. Nothing outside the sandbox changes, and it ends with the
// test. It has two users: app (uid 1000) and operator (uid 1001), who has sudo
// without a password. The programs built for the lab are in /lab and the
// scenario's own files are in /scenario.
//
// "/lab/paste-fix ID REPORT", in a section, pastes from an audit's text report the fix
// that ends the finding ID.
//
// To add a scenario, write such a file. To run it alone:
//
//	sudo -E env LOWPORT_LAB=require go test -count=1 ./internal/lab -run 'TestScenarios/nosuid'
//
// A line is a command and its words; between single quotes spaces are part of a
// word, and two single quotes in there are one of it. "stdout REGEXP", with a "!"
// before it for the opposite, looks at what the last claim printed, and "cmp stdout
// SECTION" compares it. The claims and settings of a scenario:
//
//	systemd               the sandbox boots the real systemd; *.service and
//	                      *.socket sections are installed as units, and
//	                      "/lab/start-unit NAME "$@"" starts one
//	needs TOOL...         skip (or fail) where a program is missing; "go" also
//	                      shows the Go toolchain, the caches and this module;
//	                      "userns" is user namespaces for ordinary users,
//	                      "landlock" Landlock with rules for TCP,
//	                      "linux-6.7" a kernel that is not older, "apparmor" and
//	                      "selinux" a kernel whose policy may be changed,
//	                      "no_file_caps" one that was booted so
//	args ARG...           what start is given instead of ":443"
//	cwd FOLDER            where start and the operator work instead of "/"
//	let NAME VALUE        a variable for every section that is run
//	operator NAME         who runs the fixes: "operator" unless said otherwise
//	shell COMMAND...      their shell instead of "sh -e"; it has to stop at the
//	                      first line that fails
//	refused CODE CAUSE CERTAINTY [CAUSE...]
//	                      the program exits with CODE, names the first cause
//	                      with that certainty, and the further ones as well
//	fixed [ID...]         exactly these fixes are printed, in this order, and
//	                      each of them works
//	allowed VIA [note]    the program exits 0 and says nothing, except perhaps
//	                      a note; -json says how it got the port
//	predicted CODE CAUSE CERTAINTY [CAUSE...]
//	                      the program is not even executed: the doctor, put in
//	                      its place with -binary or -unit, says so as in refused;
//	                      fixed then sees the program itself start and bind
//	unpredicted REASON    what happens cannot be seen before the start
//	each CODE (ok|CAUSE)...
//	                      several args: the program exits with CODE, and its
//	                      reports, an array, say these in order
//	inside SECTION [ARG...]
//	                      runs a section in the scenario's sandbox as root; it
//	                      has to exit 0
//	machine NAME DESCRIPTION
//	                      the machine of that name in package guardtest, whose
//	                      recording begins with the description, says the same
//	                      as this one; "make machines" records them again
//	way NAME              runs the section "way", which tries a way of binding
//	                      with /lab/way.sh, and compares its answers with the row
//	                      NAME of the table in docs/deploy.md
//
// Every start is predicted first: the doctor takes the program's place, behind
// the same wrapper or with the same unit, and what it says has to happen then. A
// start as an ordinary user by setpriv is predicted a second time, by root with
// -user. Only "unpredicted" exempts a scenario, and the tally counts it.
//
// After refused, predicted and each, "stdout REGEXP" looks at the text report; after
// inside, at what it printed; after json, at the JSON report.
//
// An edit step is a change to a file of the operator's own. The scenario makes it
// as the operator would, by a section "edit" that is run in the sandbox with the
// step's file name as argument and its content as input.
package lab
