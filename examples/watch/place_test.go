package main

import (
	"strings"
	"testing"
)

func TestPlaceOf(t *testing.T) {
	id := strings.Repeat("0123456789abcdef", 4)
	for _, tt := range []struct{ cgroup, want string }{
		{"/", ""},
		{"/user.slice", ""},
		{"/system.slice/app.service", "unit app.service"},
		{"/system.slice/app.service/worker", "unit app.service"},
		{"/user.slice/user-1000.slice/user@1000.service/app.slice/web.service", "unit web.service"},
		{"/user.slice/user-1000.slice/session-3.scope", "unit session-3.scope"},
		{"/machine.slice/libpod-" + id + ".scope", "container 0123456789ab"},
		{"/machine.slice/libpod-" + id + ".scope/container", "container 0123456789ab"},
		{"/libpod_parent/libpod-" + id, "container 0123456789ab"},
		{"/system.slice/docker-" + id + ".scope", "container 0123456789ab"},
		{"/docker/" + id, "container 0123456789ab"},
		{
			"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod01234567_89ab_cdef_0123_456789abcdef.slice/cri-containerd-" + id + ".scope",
			"container 0123456789ab, pod 01234567-89ab-cdef-0123-456789abcdef",
		},
		{"/kubepods/besteffort/pod01234567-89ab-cdef-0123-456789abcdef/" + id, "container 0123456789ab, pod 01234567-89ab-cdef-0123-456789abcdef"},
		{"/kubelet.slice/kubelet-kubepods.slice/crio-" + id + ".scope", "container 0123456789ab"},
		{"/docker/0123", ""},
	} {
		if got := placeOf(tt.cgroup).String(); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.cgroup, got, tt.want)
		}
	}
}
