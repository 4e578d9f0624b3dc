module github.com/lowport/lowport/examples/dns

go 1.26.0

require (
	github.com/lowport/lowport v0.0.0
	github.com/miekg/dns v1.1.73
)

require (
	golang.org/x/net v0.61.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	kernel.org/pub/linux/libs/security/libcap/cap v1.2.78 // indirect
	kernel.org/pub/linux/libs/security/libcap/psx v1.2.78 // indirect
)

replace github.com/lowport/lowport => ../..
