module github.com/lowport/lowport

go 1.25.0

require (
	golang.org/x/sys v0.47.0
	kernel.org/pub/linux/libs/security/libcap/cap v1.2.78
	kernel.org/pub/linux/libs/security/libcap/psx v1.2.78
)
