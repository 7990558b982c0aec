;; A Maelstrom node for the workload `echo`, written by hand in the text form of WebAssembly.
;;
;; It answers `init` with `init_ok` and `echo` with `echo_ok`, and passes over everything else. It keeps no state at all: whoever
;; asked is whom it answers, and it calls itself what it was called. Values are copied as the text that they are, never understood.
;;
;; Memory:      0  one buffer (pointer, length), as `fd_read` and `fd_write` want it
;;              8  how many bytes they moved
;;             64  the texts below
;;          4,096  the reply, while it is put together
;;        131,072  what was read; a zero byte ends the line that is looked at
(module
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 4)

  (data (i32.const 64) "\"src\"")
  (data (i32.const 80) "\"dest\"")
  (data (i32.const 96) "\"body\"")
  (data (i32.const 112) "\"type\"")
  (data (i32.const 128) "\"msg_id\"")
  (data (i32.const 144) "\"echo\"")
  (data (i32.const 160) "\"init\"")
  (data (i32.const 192) "{\"src\":")
  (data (i32.const 208) ",\"dest\":")
  (data (i32.const 224) ",\"body\":{\"type\":\"init_ok\"")
  (data (i32.const 256) ",\"body\":{\"type\":\"echo_ok\"")
  (data (i32.const 288) ",\"in_reply_to\":")
  (data (i32.const 304) ",\"echo\":")
  (data (i32.const 320) "}}\n")

  (global $input i32 (i32.const 131072))
  (global $input_end i32 (i32.const 262144))
  (global $filled (mut i32) (i32.const 131072)) ;; where what was read ends
  (global $reply i32 (i32.const 4096))
  (global $put (mut i32) (i32.const 4096))      ;; where what was put together ends

  ;; ---- JSON, as far as it is needed ---------------------------------------------------------------------------------------

  ;; Is this byte white space, a comma or a colon?
  (func $is_gap (param $byte i32) (result i32)
    (i32.or
      (i32.or (i32.eq (local.get $byte) (i32.const 32)) (i32.eq (local.get $byte) (i32.const 9)))
      (i32.or
        (i32.or (i32.eq (local.get $byte) (i32.const 44)) (i32.eq (local.get $byte) (i32.const 58)))
        (i32.eq (local.get $byte) (i32.const 13)))))

  ;; The next byte that says something.
  (func $after_gap (param $at i32) (result i32)
    (loop $next
      (if (call $is_gap (i32.load8_u (local.get $at)))
        (then
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br $next))))
    (local.get $at))

  ;; The end of the string whose first quote is at $at.
  (func $after_string (param $at i32) (result i32)
    (local $byte i32)
    (loop $next
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (local.set $byte (i32.load8_u (local.get $at)))
      (if (i32.eqz (local.get $byte)) (then (return (local.get $at))))
      (if (i32.eq (local.get $byte) (i32.const 34)) (then (return (i32.add (local.get $at) (i32.const 1)))))
      ;; A backslash takes the next byte with it, unless that is the end.
      (if (i32.eq (local.get $byte) (i32.const 92))
        (then
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (if (i32.eqz (i32.load8_u (local.get $at))) (then (return (local.get $at))))))
      (br $next))
    (unreachable))

  ;; The end of the value at $at: of a string, of whatever is in brackets, or of a number or a word.
  (func $after_value (param $at i32) (result i32)
    (local $byte i32)
    (local $depth i32)
    (loop $next
      (local.set $byte (i32.load8_u (local.get $at)))
      (if (i32.eqz (local.get $byte)) (then (return (local.get $at))))
      (if (i32.eq (local.get $byte) (i32.const 34))
        (then
          (local.set $at (call $after_string (local.get $at)))
          (if (i32.eqz (local.get $depth)) (then (return (local.get $at))))
          (br $next)))
      ;; `{` and `[`, or `}` and `]`, are alike but for one bit.
      (if (i32.eq (i32.or (local.get $byte) (i32.const 32)) (i32.const 123))
        (then (local.set $depth (i32.add (local.get $depth) (i32.const 1)))))
      (if (i32.eq (i32.or (local.get $byte) (i32.const 32)) (i32.const 125))
        (then
          ;; The bracket that closes what the value stands in is not part of it.
          (if (i32.eqz (local.get $depth)) (then (return (local.get $at))))
          (local.set $depth (i32.sub (local.get $depth) (i32.const 1)))
          (if (i32.eqz (local.get $depth)) (then (return (i32.add (local.get $at) (i32.const 1)))))))
      (if (i32.and (i32.eqz (local.get $depth)) (call $is_gap (local.get $byte)))
        (then (return (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $next))
    (unreachable))

  ;; Do these bytes begin at $at?
  (func $begins (param $at i32) (param $text i32) (param $length i32) (result i32)
    (loop $next
      (if (i32.eqz (local.get $length)) (then (return (i32.const 1))))
      (if (i32.ne (i32.load8_u (local.get $at)) (i32.load8_u (local.get $text))) (then (return (i32.const 0))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (local.set $text (i32.add (local.get $text) (i32.const 1)))
      (local.set $length (i32.sub (local.get $length) (i32.const 1)))
      (br $next))
    (unreachable))

  ;; The value of a member of the object at $object, or 0. Keys are compared with their quotes; deeper objects are stepped over.
  (func $member (param $object i32) (param $key i32) (param $length i32) (result i32)
    (local $at i32)
    (local $is_it i32)
    (if (i32.eqz (local.get $object)) (then (return (i32.const 0))))
    (if (i32.ne (i32.load8_u (local.get $object)) (i32.const 123)) (then (return (i32.const 0))))
    (local.set $at (i32.add (local.get $object) (i32.const 1)))
    (loop $next
      (local.set $at (call $after_gap (local.get $at)))
      (if (i32.ne (i32.load8_u (local.get $at)) (i32.const 34)) (then (return (i32.const 0))))
      (local.set $is_it (call $begins (local.get $at) (local.get $key) (local.get $length)))
      (local.set $at (call $after_gap (call $after_string (local.get $at))))
      (if (local.get $is_it) (then (return (local.get $at))))
      (local.set $at (call $after_value (local.get $at)))
      (br $next))
    (unreachable))

  ;; ---- The reply ----------------------------------------------------------------------------------------------------------

  ;; Appends these bytes.
  (func $append (param $from i32) (param $length i32)
    (memory.copy (global.get $put) (local.get $from) (local.get $length))
    (global.set $put (i32.add (global.get $put) (local.get $length))))

  ;; Appends the value at $at as it is.
  (func $append_value (param $at i32)
    (call $append (local.get $at) (i32.sub (call $after_value (local.get $at)) (local.get $at))))

  ;; Writes what was put together, in one piece.
  (func $send
    (i32.store (i32.const 0) (global.get $reply))
    (i32.store (i32.const 4) (i32.sub (global.get $put) (global.get $reply)))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (global.set $put (global.get $reply)))

  ;; Answers the message at $line, if it is one of the two.
  (func $answer (param $line i32)
    (local $body i32)
    (local $type i32)
    (local $src i32)
    (local $dest i32)
    (local $msg_id i32)
    (local $echo i32)
    (local.set $src (call $member (local.get $line) (i32.const 64) (i32.const 5)))
    (local.set $dest (call $member (local.get $line) (i32.const 80) (i32.const 6)))
    (local.set $body (call $member (local.get $line) (i32.const 96) (i32.const 6)))
    (local.set $type (call $member (local.get $body) (i32.const 112) (i32.const 6)))
    (local.set $msg_id (call $member (local.get $body) (i32.const 128) (i32.const 8)))
    (local.set $echo (call $member (local.get $body) (i32.const 144) (i32.const 6)))
    (if (i32.or (i32.eqz (local.get $src)) (i32.or (i32.eqz (local.get $dest)) (i32.eqz (local.get $type))))
      (then (return)))
    (call $append (i32.const 192) (i32.const 7)) ;; {"src":
    (call $append_value (local.get $dest))
    (call $append (i32.const 208) (i32.const 8)) ;; ,"dest":
    (call $append_value (local.get $src))
    (if (call $begins (local.get $type) (i32.const 160) (i32.const 6))
      (then (call $append (i32.const 224) (i32.const 25))) ;; ,"body":{"type":"init_ok"
      (else
        (if (i32.or (i32.eqz (local.get $echo))
                    (i32.eqz (call $begins (local.get $type) (i32.const 144) (i32.const 6))))
          (then
            (global.set $put (global.get $reply))
            (return)))
        (call $append (i32.const 256) (i32.const 25)) ;; ,"body":{"type":"echo_ok"
        (call $append (i32.const 304) (i32.const 8))  ;; ,"echo":
        (call $append_value (local.get $echo))))
    (if (local.get $msg_id)
      (then
        (call $append (i32.const 288) (i32.const 15)) ;; ,"in_reply_to":
        (call $append_value (local.get $msg_id))))
    (call $append (i32.const 320) (i32.const 3)) ;; }} and the line break
    (call $send))

  ;; ---- Lines --------------------------------------------------------------------------------------------------------------

  ;; Reads what there is, waiting for it if need be. Returns how many bytes it was: none at the end of the input.
  (func $read (result i32)
    (local $count i32)
    ;; A line that fills the buffer is longer than this node can take.
    (if (i32.eq (global.get $filled) (global.get $input_end)) (then (unreachable)))
    (i32.store (i32.const 0) (global.get $filled))
    (i32.store (i32.const 4) (i32.sub (global.get $input_end) (global.get $filled)))
    (if (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)) (then (unreachable)))
    (local.set $count (i32.load (i32.const 8)))
    (global.set $filled (i32.add (global.get $filled) (local.get $count)))
    (local.get $count))

  ;; Answers every complete line among what was read, and moves the rest to the beginning.
  (func $answer_lines
    (local $line i32)
    (local $at i32)
    (local.set $line (global.get $input))
    (local.set $at (global.get $input))
    (loop $next
      (if (i32.lt_u (local.get $at) (global.get $filled))
        (then
          (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 10))
            (then
              (i32.store8 (local.get $at) (i32.const 0))
              (call $answer (call $after_gap (local.get $line)))
              (local.set $line (i32.add (local.get $at) (i32.const 1)))))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br $next))))
    (memory.copy (global.get $input) (local.get $line) (i32.sub (global.get $filled) (local.get $line)))
    (global.set $filled (i32.add (global.get $input) (i32.sub (global.get $filled) (local.get $line)))))

  (func (export "_start")
    (loop $next
      (if (call $read)
        (then
          (call $answer_lines)
          (br $next))))))
