package main

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/containerd/ttrpc"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// What the runtime reads and writes in one call.
const pieceBytes = 32 * 1024

type streamResult struct {
	Bytes              int     `json:"bytes"`
	MegabytesPerSecond float64 `json:"megabytes_per_second"`
}

// output reads what a process prints to its end, one call after the other as the runtime does.
func output(ctx context.Context, o options) (any, error) {
	client, err := dial(o.address)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	head := protowire.AppendVarint(protowire.AppendTag(processFields(o), 3, protowire.VarintType), pieceBytes)
	started, total := time.Now(), 0
	for {
		var answer wrapperspb.BytesValue // ReadStreamResponse: the data in field 1
		if err := callAgent(ctx, o.timeout, client, "ReadStdout", head, &answer); err != nil {
			return nil, err
		}
		if len(answer.Value) == 0 {
			return rate(total, started), nil
		}
		total += len(answer.Value)
	}
}

// input writes so many bytes to a process, one call after the other, and waits until it has ended.
func input(ctx context.Context, o options) (any, error) {
	client, err := dial(o.address)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	process := processFields(o)
	piece := bytes.Repeat([]byte{'x'}, pieceBytes)
	started := time.Now()
	for total := 0; total < o.bytes; total += pieceBytes {
		data := protowire.AppendTag(append(make([]byte, 0, pieceBytes+256), process...), 3, protowire.BytesType)
		var answer wrapperspb.UInt32Value // WriteStreamResponse: the length in field 1
		if err := callAgent(ctx, o.timeout, client, "WriteStdin", protowire.AppendBytes(data, piece), &answer); err != nil {
			return nil, err
		}
		if answer.Value != pieceBytes {
			return nil, errors.New("a part was written")
		}
	}
	for _, method := range []string{"CloseStdin", "WaitProcess"} {
		if err := callAgent(ctx, o.timeout, client, method, process, &emptypb.Empty{}); err != nil {
			return nil, err
		}
	}
	return rate(o.bytes, started), nil
}

// processFields: container_id and exec_id are the fields 1 and 2 of every request about a process.
func processFields(o options) []byte {
	head := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), o.container)
	return protowire.AppendString(protowire.AppendTag(head, 2, protowire.BytesType), o.exec)
}

// callAgent sends these fields as a message that does not know them, and so hands them on as they are.
func callAgent(ctx context.Context, timeout time.Duration, client *ttrpc.Client, method string, fields []byte, answer proto.Message) error {
	ctx, cancel := within(ctx, timeout)
	defer cancel()
	request := &emptypb.Empty{}
	request.ProtoReflect().SetUnknown(fields)
	return client.Call(ctx, "grpc.AgentService", method, request, answer)
}

func rate(total int, started time.Time) streamResult {
	return streamResult{Bytes: total, MegabytesPerSecond: float64(total) / 1e6 / time.Since(started).Seconds()}
}
