import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.util.VersionInfo;
import org.apache.spark.sql.SparkSession;

/** Spark's parquet files on S3A, which is given the credentials that the catalog vends. */
public class SparkS3A {
  static final String TABLES = System.getenv("CATALOG_URL") + "/v1/wh/namespaces/ns/tables";
  static final String TABLE = System.getenv("TABLE");
  static final String LOCATION = "s3a://lake/wh/ns/" + TABLE;
  static final SparkSession SPARK =
      SparkSession.builder()
          .master("local[1]")
          .config("spark.ui.enabled", "false")
          .config("spark.driver.host", "127.0.0.1")
          .config("spark.hadoop.fs.s3a.path.style.access", "true")
          .config("spark.hadoop.fs.s3a.connection.ssl.enabled", "false")
          .config("spark.hadoop.fs.s3a.attempts.maximum", "1")
          .config("spark.hadoop.fs.s3a.endpoint.region", "us-east-1")
          // The credentials change between preparing and trying.
          .config("spark.hadoop.fs.s3a.impl.disable.cache", "true")
          .config(
              "spark.hadoop.fs.s3a.aws.credentials.provider",
              "org.apache.hadoop.fs.s3a.TemporaryAWSCredentialsProvider")
          .getOrCreate();

  static JsonNode call(String token, String method, String url, String body) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(url))
            .header("Authorization", "Bearer " + System.getenv(token))
            .header("X-Iceberg-Access-Delegation", "vended-credentials")
            .method(method, HttpRequest.BodyPublishers.ofString(body))
            .build();
    HttpResponse<String> response =
        HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
    return new ObjectMapper().readTree(response.body());
  }

  static void use(String token) throws Exception {
    JsonNode vended = call(token, "GET", TABLES + "/" + TABLE, "").get("config");
    Configuration hadoop = SPARK.sparkContext().hadoopConfiguration();
    hadoop.set("fs.s3a.endpoint", vended.get("s3.endpoint").asText());
    hadoop.set("fs.s3a.access.key", vended.get("s3.access-key-id").asText());
    hadoop.set("fs.s3a.secret.key", vended.get("s3.secret-access-key").asText());
    hadoop.set("fs.s3a.session.token", vended.get("s3.session-token").asText());
  }

  static void create() throws Exception {
    String field = "{\"id\":1,\"name\":\"id\",\"required\":true,\"type\":\"long\"}";
    String schema = "{\"type\":\"struct\",\"fields\":[" + field + "]}";
    call("TOKEN_ALL", "POST", TABLES, "{\"name\":\"" + TABLE + "\",\"schema\":" + schema + "}");
  }

  static void write() {
    SPARK.range(0, 10, 1, 1).write().mode("append").parquet(LOCATION);
  }

  static Callable<?> withRows() {
    return Harness.doing(
        () -> {
          create();
          use("TOKEN_ALL");
          write();
        });
  }

  static Callable<?> tried(Harness.Runner runner) {
    return Harness.doing(
        () -> {
          use("TOKEN");
          runner.run();
        });
  }

  static void read() {
    SPARK.read().parquet(LOCATION).collectAsList();
  }

  public static void main(String[] args) throws Exception {
    Map<String, Harness.Operation> operations = new LinkedHashMap<>();
    Callable<?> created = Harness.doing(SparkS3A::create);
    operations.put("read", new Harness.Operation(created, tried(SparkS3A::read)));
    operations.put("append", new Harness.Operation(created, tried(SparkS3A::write)));
    operations.put("read-with-barePaths", new Harness.Operation(withRows(), tried(SparkS3A::read)));
    operations.put("append-with-barePaths", new Harness.Operation(withRows(), tried(SparkS3A::write)));
    Harness.run(
        SPARK.version() + " with Hadoop " + VersionInfo.getVersion(), operations, args[0]);
  }
}
