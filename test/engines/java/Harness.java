import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.util.Map;
import java.util.concurrent.Callable;

/** Runs one operation of an engine: prepares the table, waits for "go", and runs it. */
class Harness {
  record Operation(Callable<?> prepare, Callable<?> run) {}

  interface Runner {
    void run() throws Exception;
  }

  /** Executes SQL in an engine: `admin` prepares, `lake` has the session to be tried. */
  interface Sql {
    void execute(String text) throws Exception;

    /** Runs a text in a catalog, in which $T is the table. */
    default void run(String catalog, String text) throws Exception {
      execute(text.replace("$T", catalog + ".ns." + System.getenv("TABLE")));
    }

    default Callable<?> tried(String text) {
      return doing(() -> run("lake", text));
    }

    default Callable<?> prepared(String... texts) {
      return doing(
          () -> {
            for (String text : texts) run("admin", text);
          });
    }
  }

  static Callable<?> doing(Runner runner) {
    return () -> {
      runner.run();
      return null;
    };
  }

  static void run(String version, Map<String, Operation> operations, String name) throws Exception {
    Operation operation = operations.get(name);
    // An engine's own threads would keep Java running after an error.
    try {
      operation.prepare().call();
      // Trino turns System.out into lines of its log.
      new PrintStream(new FileOutputStream(FileDescriptor.out), true).println("READY " + version);
      new BufferedReader(new InputStreamReader(System.in)).readLine();
      operation.run().call();
    } catch (Throwable error) {
      error.printStackTrace();
      Runtime.getRuntime().halt(1);
    }
    Runtime.getRuntime().halt(0);
  }
}
