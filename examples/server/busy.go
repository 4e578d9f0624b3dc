package main

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// A busy knows the connections that have not had their answer. Shutdown alone
// would not do: a server that shuts down drops a request that it has just read
// on a new connection.
type busy struct {
	mu    sync.Mutex
	conns map[net.Conn]bool
}

// note is a server's ConnState.
func (b *busy) note(c net.Conn, state http.ConnState) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch state {
	case http.StateNew, http.StateActive:
		b.conns[c] = true
	default:
		delete(b.conns, c)
	}
}

// wait waits until there are none, or ctx is done.
func (b *busy) wait(ctx context.Context) {
	for ctx.Err() == nil {
		b.mu.Lock()
		n := len(b.conns)
		b.mu.Unlock()
		if n == 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
}
