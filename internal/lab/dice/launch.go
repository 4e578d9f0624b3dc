package dice

import "strings"

// launch is the words that start a program, from outside to inside.
func (s Situation) launch(program []string) []string {
	var w []string
	add := func(words ...string) { w = append(w, words...) }
	strace := []string{"strace", "-f", "-e", "trace=none", "-o", "/dev/null"}
	const shell = `exec "$@"`

	if s.is("tracer", "root") {
		add(strace...)
	}
	switch s.get("launcher") {
	case "unshare-n":
		add("unshare", "-n", "sh", "-c", `ip link set lo up; exec "$@"`, "sh")
	case "unshare-m":
		add("unshare", "-m")
	case "unshare-p":
		add("unshare", "-p", "-f", "--mount-proc")
	case "netns":
		add("ip", "netns", "exec", "wan")
	case "chroot":
		add("chroot", "/mnt/root")
	case "no-proc":
		add("unshare", "-m", "sh", "-c", `umount -l /proc; exec "$@"`, "sh")
	}
	if s.is("mount", "private") {
		add("unshare", "-m", "sh", "-euc", "mount -t tmpfs -o mode=755 tmpfs /srv/app\n"+s.file("/srv/app")+`exec "$@"`, "sh")
	}
	if s.is("holder", "passed") {
		add("/lab/pass", ":"+s.port())
	}
	switch s.get("landlock") {
	case "tcp":
		add("/lab/landlocked")
	case "port":
		add("/lab/landlocked", "-allow", s.port())
	}
	call, errno, filtered := strings.Cut(s.get("seccomp"), ":")
	becomes := strings.HasPrefix(call, "cap") && !s.is("user", "root") // setpriv would be refused
	if filtered && !becomes {
		add("/lab/filter", call, errno)
	}
	if s.is("mount", "foreign") { // root alone may pass /proc/PID/root
		add("sh", "-c", `exec 9</proc/$(cat /run/other)/root`+commandLine([]string{s.onDisk()})+`; exec "$@"`, "sh")
	}
	if s.is("userns", "range") {
		add("/lab/idmap", "run")
	}
	if becomes {
		add("/lab/filter", "-as", s.uid(), call, errno)
	} else {
		add(s.changeUser()...)
	}
	if s.is("shell", "sh") {
		add("sh", "-c", shell, "sh")
	}
	switch s.get("userns") {
	case "foreign":
		add("unshare", "-Ur")
	case "own":
		up := "ip link set lo up; "
		if s.is("address", "zone") {
			up += zoneAddress + "; "
		}
		add("unshare", "-Urn", "sh", "-c", up+`exec "$@"`, "sh")
	case "nested":
		add("unshare", "-Ur", "unshare", "-Ur")
	case "current":
		add("unshare", "-U", "--map-current-user")
	}
	if s.is("nnp", "later") {
		add("setpriv", "--no-new-privs")
	}
	if s.is("folders", "shared") {
		add("/lab/sharefs")
	}
	if s.is("tracer", "user") {
		add(strace...)
	}
	switch s.get("wrapper") {
	case "env":
		add("env", "DICE=1")
	case "sh-exec":
		add("sh", "-c", shell, "sh")
	case "sh-child":
		add("sh", "-c", `"$@"; exit $?`, "sh")
	case "taskset":
		add("taskset", "1")
	case "nice":
		add("nice")
	case "tini":
		add("tini", "-s", "--")
	case "dumb-init":
		add("dumb-init", "--")
	case "script": // it takes a command line
		add("script", "-qec", commandLine(program), "/dev/null")
		return w
	}
	return append(w, program...)
}

// limits are setpriv's options for what root sets before the user is changed.
func (s Situation) limits() []string {
	var w []string
	switch s.get("bounding") {
	case "without":
		w = append(w, "--bounding-set="+s.signed("-"))
	case "only":
		w = append(w, "--bounding-set=-all,"+s.signed("+"))
	case "empty":
		w = append(w, "--bounding-set=-all")
	}
	switch s.get("securebits") {
	case "noroot":
		w = append(w, "--securebits=+noroot")
	case "no-fixup":
		w = append(w, "--securebits=+no_setuid_fixup")
	}
	return w
}

// changeUser starts what follows as the user, with what the user is granted.
func (s Situation) changeUser() []string {
	options := s.limits()
	switch s.get("grant") {
	case "ambient":
		options = append(options, "--inh-caps="+s.signed("+"), "--ambient-caps="+s.signed("+"))
	case "inheritable":
		options = append(options, "--inh-caps="+s.signed("+"))
	}
	if s.is("nnp", "same") {
		options = append(options, "--no-new-privs")
	}
	user, change := s.get("user"), s.get("change")
	var after []string
	switch {
	case user == "root":
	case user == "nameless":
		options = append(options, "--reuid=4242", "--regid=4242", "--clear-groups")
	case change == "setpriv":
		options = append(options, "--reuid=app", "--regid=app", "--init-groups")
	case change == "su":
		after = []string{"su", "-c", `exec "$@"`, "--", "app", "sh"}
	case change == "sudo":
		after = []string{"sudo", "-u", "app", "--"}
	case change == "runuser":
		after = []string{"runuser", "-u", "app", "--"}
	}
	if len(options) == 0 {
		return after
	}
	return append(append([]string{"setpriv"}, options...), after...)
}

// uid is the user's number.
func (s Situation) uid() string {
	return map[string]string{"app": "1000", "root": "0", "nameless": "4242"}[s.get("user")]
}

// foreseen reports whether the program does nothing that cannot be seen before the start.
func (s Situation) foreseen() bool {
	return s.is("before", "nothing") && s.is("control", "none") && s.is("mptcp", "on")
}

// foretell is the scripts that predict: by the process that would execute the program, and by
// root's shell where nothing but setpriv is between it and the program. What the program does
// itself cannot be predicted, nor with which options it listens.
func (s Situation) foretell() (scripts []string) {
	if !s.foreseen() {
		return nil
	}
	predict := func(options ...string) []string {
		w := append([]string{"/lab/guest", "-predict", s.path()}, options...)
		return append(append(w, s.flags()...), s.target()...)
	}
	scripts = append(scripts, "exec "+commandLine(s.launch(predict()))+"\n")
	user := s.without("file", "mount", "place", "user", "threshold", "address", "holder", "bpf")
	for _, k := range Knobs {
		if k.Question {
			user = user.without(k.Name)
		}
	}
	if len(user) == 0 && !s.is("user", "root") && !s.is("mount", "foreign", "private") && !s.is("holder", "passed") {
		scripts = append(scripts, "exec "+commandLine(predict("-user", s.uid()))+"\n")
	}
	return scripts
}
