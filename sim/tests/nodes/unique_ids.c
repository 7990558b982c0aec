/*
 * A Maelstrom node for the workload `unique-ids`.
 *
 * An id says who gave it, when this node was started, and how many it had given before. No two nodes have one name, and a node that
 * was killed is started again at another time: nothing has to be agreed upon.
 *
 *     cc -O2 -o unique_ids unique_ids.c && ./unique_ids [--bug shared]
 *
 * Bug `shared`: ids are numbered, but do not say by whom. The first id of every node is the same.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- JSON, the same in every C node here: values stay the texts that they are ------------------------------------------- */

/* A piece of a line, which ends with a zero byte. There is no such thing if `at` is null. */
struct text {
    const char *at;
    int length;
};

/* The value that begins here. */
static struct text value_at(const char *begin)
{
    const char *at = begin;
    int depth = 0, quoted = 0;
    for (; *at; at++) {
        if (quoted && *at == '\\' && at[1])
            at++;
        else if (*at == '"')
            quoted = !quoted;
        else if (quoted)
            continue;
        else if (*at == '{' || *at == '[')
            depth++;
        else if (depth == 0 && strchr(",:}] \t\r\n", *at))
            break;
        else if (*at == '}' || *at == ']')
            depth--;
        if (depth == 0 && !quoted && strchr("\"}]", *at)) {
            at++;
            break;
        }
    }
    return (struct text){begin, (int)(at - begin)};
}

/* The next item of an array, or the next key or value of an object, after the place `*at`. */
static struct text next_item(const char **at)
{
    *at += strspn(*at, ",: \t\r\n");
    struct text item = value_at(*at);
    *at += item.length;
    return item;
}

static int is(struct text text, const char *wanted)
{
    return text.at && (size_t)text.length == strlen(wanted) && memcmp(text.at, wanted, (size_t)text.length) == 0;
}

/* The value of a member that is there and not null. Keys are given with their quotes. */
static struct text member(struct text object, const char *key)
{
    const char *at = object.at && *object.at == '{' ? object.at + 1 : "";
    struct text name, value;
    while ((name = next_item(&at)).length && (value = next_item(&at)).length)
        if (is(name, key) && !is(value, "null"))
            return value;
    return (struct text){NULL, 0};
}

/* ---- Messages ----------------------------------------------------------------------------------------------------------- */

struct message { struct text src, dest, body, type, msg_id; };

/* Reads a line. Returns 0 if it is no message. */
static int read_message(const char *line, struct message *message)
{
    struct text whole = value_at(line);
    message->src = member(whole, "\"src\"");
    message->dest = member(whole, "\"dest\"");
    message->body = member(whole, "\"body\"");
    message->type = member(message->body, "\"type\"");
    message->msg_id = member(message->body, "\"msg_id\"");
    return message->src.at && message->dest.at && message->type.at;
}

/* Answers, unless no answer is asked for. */
static void reply(const struct message *request, const char *format, ...)
{
    va_list fields;
    if (!request->msg_id.at)
        return;
    struct text src = request->dest, dest = request->src, id = request->msg_id;
    printf("{\"src\":%.*s,\"dest\":%.*s,\"body\":{", src.length, src.at, dest.length, dest.at);
    va_start(fields, format);
    vprintf(format, fields);
    va_end(fields);
    printf(",\"in_reply_to\":%.*s}}\n", id.length, id.at);
}

static void refuse(const struct message *request)
{
    if (!member(request->body, "\"in_reply_to\"").at)
        reply(request, "\"type\":\"error\",\"code\":10,\"text\":\"no such request\"");
}

/* Whether the bug was asked for by `--bug NAME`. */
static int bug_asked_for(int count, char **arguments, const char *known)
{
    if (count == 1)
        return 0;
    if (count == 3 && strcmp(arguments[1], "--bug") == 0 && strcmp(arguments[2], known) == 0)
        return 1;
    fprintf(stderr, "usage: [--bug %s]\n", known);
    exit(2);
}

/* ---- The node ----------------------------------------------------------------------------------------------------------- */

int main(int count, char **arguments)
{
    int is_shared = bug_asked_for(count, arguments, "shared");
    setvbuf(stdout, NULL, _IOLBF, 0); /* Each line leaves at once, through a pipe too. */
    struct timespec started = {0, 0};
    unsigned long given = 0;
    char *line = NULL;
    size_t capacity = 0;
    while (getline(&line, &capacity, stdin) > 0) {
        struct message message;
        if (!read_message(line, &message)) {
            fprintf(stderr, "passed over %s", line);
        } else if (is(message.type, "\"init\"")) {
            clock_gettime(CLOCK_REALTIME, &started);
            reply(&message, "\"type\":\"init_ok\"");
        } else if (is(message.type, "\"generate\"")) {
            given++;
            if (is_shared)
                reply(&message, "\"type\":\"generate_ok\",\"id\":%lu", given);
            else /* The name without its quotes, which are the first and the last byte of it. */
                reply(&message, "\"type\":\"generate_ok\",\"id\":\"%.*s-%lld.%09ld-%lu\"", message.dest.length - 2,
                      message.dest.at + 1, (long long)started.tv_sec, started.tv_nsec, given);
        } else {
            refuse(&message);
        }
    }
    free(line);
    return 0;
}
