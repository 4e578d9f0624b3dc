package launch

import (
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/errnos"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
)

// A Profile is a seccomp profile in the form that engines take: that of the runtime
// specification (config-linux.md, "Seccomp"), with the conditions that moby adds.
type Profile struct {
	Default string        `json:"defaultAction"`
	Errno   *uint16       `json:"defaultErrnoRet"`
	Calls   []profileRule `json:"syscalls"`
}

// A profileRule is the action for some system calls.
type profileRule struct {
	Name     string            `json:"name"`
	Names    []string          `json:"names"`
	Action   string            `json:"action"`
	Errno    *uint16           `json:"errnoRet"`
	Args     []profileArg      `json:"args"`
	Includes profileConditions `json:"includes"`
	Excludes profileConditions `json:"excludes"`
}

// A profileArg compares one argument of a call.
type profileArg struct {
	Index    uint   `json:"index"`
	Value    uint64 `json:"value"`
	ValueTwo uint64 `json:"valueTwo"`
	Op       string `json:"op"`
}

// profileConditions say for which containers a rule counts.
type profileConditions struct {
	Arches    []string `json:"arches"`
	Caps      []string `json:"caps"`
	MinKernel string   `json:"minKernel"`
}

// ParseProfile reads a profile. An action that runtimes do not know is an error.
func ParseProfile(text []byte) (*Profile, error) {
	var p Profile
	if err := json.Unmarshal(text, &p); err != nil {
		return nil, fmt.Errorf("the seccomp profile: %w", err)
	}
	for _, action := range append([]string{p.Default}, actionsOf(p.Calls)...) {
		if !slices.Contains(actions, action) {
			return nil, fmt.Errorf("the seccomp profile: no action %q", action)
		}
	}
	return &p, nil
}

var actions = strings.Fields("SCMP_ACT_ALLOW SCMP_ACT_LOG SCMP_ACT_ERRNO SCMP_ACT_KILL SCMP_ACT_KILL_THREAD SCMP_ACT_KILL_PROCESS SCMP_ACT_TRAP SCMP_ACT_TRACE SCMP_ACT_NOTIFY")

func actionsOf(rules []profileRule) (all []string) {
	for _, r := range rules {
		all = append(all, r.Action)
	}
	return all
}

// A verdict is what a filter answers to a call.
type verdict struct {
	allowed bool
	errno   string // with which the call fails; "" where it ends the program
	doubt   string // why that cannot be told
}

// An argument is one of a call, as far as it is the same for every server: the bits of mask.
type argument struct{ value, mask uint64 }

const everyBit = ^uint64(0)

// answer is the verdict of the profile on a call, in a container with that bounding set. Rules
// that count and do not agree leave it open, as which of them the runtime's filter asks first
// depends on the library that makes it.
func (p *Profile) answer(c Container, bounding caps.Set, call string, args ...argument) verdict {
	all := []verdict{}
	open := false // whether a rule counts is not known
	for _, r := range p.Calls {
		if r.Name != call && !slices.Contains(r.Names, call) {
			continue
		}
		counts := kernel.Yes
		if c.Engine.conditions() {
			counts = r.counts(bounding)
		}
		counts = kernel.And(counts, r.matches(args))
		v := verdictOf(r.Action, r.Errno)
		if counts == kernel.Yes && !slices.Contains(all, v) {
			all = append(all, v)
		}
		open = open || counts == kernel.Unknown && v != verdictOf(p.Default, p.Errno)
	}
	if len(all) == 0 {
		all = []verdict{verdictOf(p.Default, p.Errno)}
	}
	if open || len(all) > 1 {
		return verdict{doubt: "what the seccomp profile answers to " + call + " depends on its arguments, or on the kernel"}
	}
	return all[0]
}

// verdictOf is what an action does. The numbers of errnos are those of Linux.
func verdictOf(action string, errno *uint16) verdict {
	switch action {
	case "SCMP_ACT_ALLOW", "SCMP_ACT_LOG":
		return verdict{allowed: true}
	case "SCMP_ACT_ERRNO":
		if errno == nil {
			return verdict{errno: "EPERM"}
		}
		if *errno == 0 {
			return verdict{doubt: "the seccomp profile has calls succeed without doing anything"}
		}
		return verdict{errno: errnos.Name(syscall.Errno(*errno))}
	case "SCMP_ACT_NOTIFY", "SCMP_ACT_TRACE":
		return verdict{doubt: "the seccomp profile asks another process"}
	}
	return verdict{} // it ends
}

// counts reports whether a rule is one for the container (setupSeccomp of moby/profiles/seccomp).
func (r profileRule) counts(bounding caps.Set) kernel.Answer {
	has := func(name string) bool {
		set, err := caps.ParseNames([]string{name})
		return err == nil && bounding.Contains(set)
	}
	if slices.ContainsFunc(r.Excludes.Caps, has) || slices.ContainsFunc(r.Includes.Caps, func(name string) bool { return !has(name) }) {
		return kernel.No
	}
	here := slices.Contains(r.Includes.Arches, runtime.GOARCH) // the image is for machines of this kind
	switch {
	case len(r.Includes.Arches) > 0 && !here, slices.Contains(r.Excludes.Arches, runtime.GOARCH):
		return kernel.No
	case r.Includes.MinKernel+r.Excludes.MinKernel != "":
		return kernel.Unknown
	}
	return kernel.Yes
}

// matches reports whether the arguments are those of the rule. Several comparisons of one argument are
// rules of their own (matchCall of runc's libcontainer/seccomp), which is left open.
func (r profileRule) matches(args []argument) kernel.Answer {
	all := kernel.Yes
	had := map[uint]bool{}
	for _, a := range r.Args {
		if had[a.Index] {
			return kernel.Unknown
		}
		had[a.Index] = true
		is := kernel.Unknown
		if a.Index < uint(len(args)) {
			is = a.holds(args[a.Index])
		}
		all = kernel.And(all, is)
	}
	return all
}

// holds compares an argument (seccomp_rule_add(3)).
func (a profileArg) holds(is argument) kernel.Answer {
	if a.Op == "SCMP_CMP_MASKED_EQ" {
		return answerIf(a.Value&^is.mask == 0, is.value&a.Value == a.ValueTwo)
	}
	whole := is.mask == everyBit
	switch a.Op {
	case "SCMP_CMP_EQ":
		return answerIf(whole, is.value == a.Value)
	case "SCMP_CMP_NE":
		return answerIf(whole, is.value != a.Value)
	case "SCMP_CMP_LT":
		return answerIf(whole, is.value < a.Value)
	case "SCMP_CMP_LE":
		return answerIf(whole, is.value <= a.Value)
	case "SCMP_CMP_GT":
		return answerIf(whole, is.value > a.Value)
	case "SCMP_CMP_GE":
		return answerIf(whole, is.value >= a.Value)
	}
	return kernel.Unknown
}

func answerIf(known, is bool) kernel.Answer {
	switch {
	case !known:
		return kernel.Unknown
	case is:
		return kernel.Yes
	}
	return kernel.No
}

// conditions reports whether the engine reads the conditions of a profile's rules. containerd and
// what starts containers by it take every rule (LoadProfile of containerd's contrib/seccomp).
func (e Engine) conditions() bool {
	return e.Name == "docker" || e.Name == "podman" || e.Name == "cri-o"
}

// filter is the profile of the container, nil for one that refuses no bind: the engine's own, or
// none.
func (c Container) filter() *Profile {
	if c.Unconfined || c.Privileged && c.Engine.Name != "docker" && c.Engine.Name != "podman" {
		return nil
	}
	return c.Seccomp
}

// probes are the binds that a policy refuses.
func (c Container) probes() (all []facts.Probe) {
	for _, p := range unrefused {
		if v := c.binds(p.Network); v.errno != "" {
			p.Errno, p.When, p.By = v.errno, facts.BeforePort, facts.ByFilter
		}
		all = append(all, p)
	}
	return all
}

// binds is the verdict on the two calls of a bind in a network such as "tcp6": as Go, and most
// programs, make them.
func (c Container) binds(network string) verdict {
	const inet, inet6, stream, datagram, kind = 2, 10, 1, 2, 0xf // AF_INET, AF_INET6, SOCK_STREAM, SOCK_DGRAM, SOCK_TYPE_MASK
	family, of := uint64(inet), argument{stream, kind}
	if strings.HasSuffix(network, "6") {
		family = inet6
	}
	if strings.HasPrefix(network, "udp") {
		of.value = datagram
	}
	p := c.filter()
	bounding, err := c.Bounding()
	if p == nil || err != nil {
		return verdict{allowed: true}
	}
	if v := p.answer(c, bounding, "socket", argument{family, everyBit}, of, argument{0, everyBit}); !v.allowed {
		return v
	}
	return p.answer(c, bounding, "bind")
}

// listens is the errno with which the profile refuses listen(2), "" for none.
func (c Container) listens() string {
	p := c.filter()
	bounding, err := c.Bounding()
	if p == nil || err != nil {
		return ""
	}
	return p.answer(c, bounding, "listen").errno
}

// Doubt says why it cannot be told how a bind would go under the container's seccomp profile, "" where
// it can.
func (c Container) Doubt(g kernel.Goal) string {
	p := c.filter()
	bounding, err := c.Bounding()
	if p == nil || err != nil {
		return ""
	}
	if p.Default == "" {
		return "the seccomp profile of the container is not given"
	}
	var asked []verdict
	if g.Network != "" {
		for _, family := range []string{"4", "6"} {
			if g.Network == g.Protocol() || strings.HasSuffix(g.Network, family) {
				asked = append(asked, c.binds(g.Protocol()+family))
			}
		}
		if g.Protocol() == "tcp" {
			asked = append(asked, p.answer(c, bounding, "listen"))
		}
	}
	refused := false
	for _, v := range asked {
		switch {
		case v.doubt != "":
			return v.doubt
		case !v.allowed && v.errno == "":
			return "the seccomp profile ends the program at the call"
		}
		refused = refused || !v.allowed
	}
	for _, call := range slices.Concat(needed, neededByRuntime) {
		if slices.Contains([]string{"socket", "bind", "listen"}, call) || refused {
			continue // else the bind is refused already
		}
		if call == "arch_prctl" && runtime.GOARCH != "amd64" {
			continue // there is no such call
		}
		if v := p.answer(c, bounding, call); !v.allowed && v.doubt == "" {
			return "the seccomp profile refuses " + call + ", which a server or its runtime may need"
		}
	}
	return ""
}

// neededByRuntime are what runc calls behind the filter, before it executes the program.
var neededByRuntime = strings.Fields("capset setgid setgroups setuid setresuid setresgid")
